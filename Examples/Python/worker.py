"""A worker that shares a counter and a map with others, in whatever language they are written:

    moai-flow serve --data swarm-data &
    PYTHONPATH=clients/python python3 Examples/Python/worker.py http://127.0.0.1:8420 bob 5 10

It does 5 pieces of work, and waits until 10 are done by all together.
"""

import os
import sys

from moaiflow import Hub


def main(url: str, name: str, pieces: int, total: int) -> None:
    swarm = Hub(url, token=os.environ.get("MOAI_FLOW_TOKEN")).swarm()
    me = swarm.join(name)
    for piece in range(pieces):
        # Each worker puts fields of its own and increments the same counter: nobody waits, and nothing is lost. A hub that
        # is killed meanwhile only makes this take longer.
        me.state.put("results", f"{name}-{piece}", piece * piece)
        me.state.increment("done")
    for _ in swarm.state.follow(prefix="done"):
        if swarm.state.value("done", 0) >= total:
            break
    print(f"{name}: {len(swarm.state.value('results', {}))} results")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: worker.py HUB NAME PIECES TOTAL")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
