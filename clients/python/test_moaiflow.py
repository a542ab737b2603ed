"""Tests of the client against a real hub: MOAI_FLOW names the program. `make test` runs them where python3 is there."""

import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from moaiflow import Answer, Hub, HubError, Unreachable


class RealHub:
    """A hub process on a folder of its own; it keeps its port when it is started again."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [os.environ["MOAI_FLOW"], "serve", "--data", self.folder.name + "/data", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    @property
    def client(self) -> Hub:
        return Hub(f"http://127.0.0.1:{self.port}", patience=20)


class ClientTests(unittest.TestCase):
    def setUp(self) -> None:
        self.hub = RealHub()
        self.addCleanup(self.hub.close)
        self.swarm = self.hub.client.swarm()
        self.addCleanup(self.swarm.hub.close)
        self.alice = self.swarm.join("alice")
        self.bob = self.swarm.join("bob")

    def test_replicas_log_backup_and_tokens(self) -> None:
        self.swarm.hub.create_swarm("default", {"policies": [{"pattern": "budget", "crdt_type": "counter", "min": 0}]})
        self.bob.state.increment("budget", 10)
        replica = "00000000000000aa"
        delta = {
            "n": 1, "previous_hash": "0" * 16, "timestamp": "2026-01-01T00:00:00.000Z",
            "ops": [{"state_key": "s", "ops": [{"op": "add", "element": "x"}]}],
        }
        self.assertEqual(self.alice.send_deltas(replica, [delta])["accepted_to"], 2)
        self.assertEqual(self.alice.send_deltas(replica, [delta])["accepted_to"], 2)
        self.assertEqual(self.swarm.state.value("s"), ["x"])
        self.assertEqual(self.alice.reserve(replica, "budget", 4), {"down": 4, "up": 0})
        self.assertEqual([one["replica"] for one in self.swarm.replicas()], [replica])
        self.assertIsNone(self.swarm.replica("00000000000000bb"))
        self.alice.close_replica(replica)
        self.assertTrue(self.swarm.replica(replica)["closed"])
        entries, following = self.swarm.log(limit=2)
        self.assertEqual([entry["revision"] for entry in entries], [1, 2])
        follow = self.swarm.follow_log(since=following)
        self.assertEqual(next(follow)["revision"], 3)
        with self.assertRaises(HubError) as refused:
            self.swarm.skip(1, "it is intact")
        self.assertEqual(refused.exception.code, "not_damaged")
        path = self.hub.folder.name + "/copy.sqlite"
        self.assertGreater(self.swarm.hub.backup(path), 10_000)
        with open(path, "rb") as file:
            self.assertEqual(file.read(15), b"SQLite format 3")
        versions = [
            {"state_key": "n", "value": value, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": agent,
             "metadata": {"crdt_type": "counter"}}
            for value, agent in ((100, "a"), (150, "b"))
        ]
        self.assertEqual(self.swarm.hub.resolve("crdt", versions, "n")["value"], 250)
        self.assertEqual(self.swarm.hub.conflicts(versions), ["n"])
        with self.assertRaises(HubError) as refused:
            self.swarm.hub.create_token("admin")
        self.assertEqual(refused.exception.code, "no_tokens")
        made = subprocess.run(
            [os.environ["MOAI_FLOW"], "token", "create", "--role", "admin", "--data", self.hub.folder.name + "/data"],
            capture_output=True, text=True, check=True)
        admin = Hub(f"http://127.0.0.1:{self.hub.port}", token=made.stdout.strip())
        self.addCleanup(admin.close)
        token = admin.create_token("agent", agent="carol", note="spawned")
        carol = Hub(f"http://127.0.0.1:{self.hub.port}", token=token["token"])
        self.addCleanup(carol.close)
        carol.swarm().join("carol").state.increment("n")
        with self.assertRaises(HubError) as refused:
            carol.swarm().join("bob").state.increment("n")
        self.assertEqual(refused.exception.code, "not_yours")
        self.assertEqual(len(admin.tokens()), 2)
        self.assertTrue(admin.revoke_token(token["id"]))
        self.assertFalse(admin.revoke_token(token["id"]))

    def test_agents_register_live_fail_and_recover(self) -> None:
        self.assertEqual(self.bob.register(heartbeat_interval_ms=60_000), 1)
        session = self.bob.session()
        heard: list[dict] = []

        def listen() -> None:
            for name, _, data in session:
                heard.append({"name": name, **data})
                if data.get("change") == "failed":
                    return

        listener = threading.Thread(target=listen)
        listener.start()
        with self.alice.alive(heartbeat_interval_ms=3000, capabilities=["python"]) as incarnation:
            self.assertGreater(incarnation, 1)
            ended = time.monotonic() + 10
            while time.monotonic() < ended:
                # A busy machine may be late.
                self.assertNotEqual(self.swarm.agent("alice")["health"], "failed")
                time.sleep(0.2)
            status = self.alice.heartbeat(progress=1, status="busy", busy_for_ms=100)
            self.assertEqual((status["status"], status["capabilities"]), ("busy", ["python"]))
        self.assertEqual([agent["agent_id"] for agent in self.swarm.agents()], ["alice", "bob"])
        # Nobody keeps it alive any more, so it is declared failed; whatever it asks for recovers it.
        listener.join(timeout=40)
        session.close()
        self.assertEqual(heard[-1]["change"], "failed")
        self.assertEqual(self.swarm.agent("alice")["health"], "failed")
        self.alice.state.increment("c")
        self.assertEqual(self.swarm.agent("alice")["health"], "healthy")
        self.alice.unregister()
        self.assertIsNone(self.swarm.agent("alice"))
        with self.assertRaises(HubError) as refused:
            self.alice.heartbeat()
        self.assertEqual(refused.exception.code, "unknown_agent")

    def test_state_of_every_type(self) -> None:
        self.alice.state.increment("c", 3)
        self.bob.state.increment("c", 4)
        self.alice.state.add("tags", "x")
        self.alice.state.put("config", "timeout", 60)
        self.bob.state.set("r", {"a": [1, 1.0, None, 2**60]})
        self.assertEqual(self.alice.state.value("c"), 7)
        self.assertEqual(self.swarm.state.value("tags"), ["x"])
        self.assertEqual(self.swarm.state.read("config").agent, "alice")
        self.assertEqual(self.swarm.state.value("r"), {"a": [1, 1.0, None, 2**60]})
        self.assertIsInstance(self.swarm.state.value("r")["a"][1], float)
        self.assertEqual(list(self.swarm.state.keys()), ["c", "config", "r", "tags"])
        self.alice.state.remove("tags", "x")
        self.alice.state.remove_field("config", "timeout")
        self.assertEqual((self.swarm.state.value("tags"), self.swarm.state.value("config")), ([], {}))
        self.assertTrue(self.alice.state.delete("r"))
        self.assertFalse(self.alice.state.delete("r"))
        self.assertIsNone(self.swarm.state.read("r"))

    def test_keys_with_every_character(self) -> None:
        for key in ["a/b", "ä ö?&=#%25", "..x", "日本"]:
            self.alice.state.set(key, key)
            self.assertEqual(self.swarm.state.value(key), key)
        self.assertEqual(list(self.swarm.state.keys("a/")), ["a/b"])

    def test_base_overwrote_and_conditions(self) -> None:
        first = self.alice.state.set("r", 1)
        self.bob.state.set("r", 2)
        third = self.alice.state.set("r", 3, base=first.cursor)
        self.assertEqual(third.overwrote[0]["agent_id"], "bob")
        with self.assertRaises(HubError) as failed:
            self.bob.state.set("r", 4, if_revision=1)
        self.assertEqual((failed.exception.status, failed.exception.code), (412, "condition_failed"))
        with self.assertRaises(HubError) as refused:
            self.bob.state.add("r", 1)
        self.assertEqual(refused.exception.code, "type_mismatch")

    def test_the_same_id_is_done_once(self) -> None:
        one = self.alice.state.increment("c", 5, id="job-1")
        self.assertEqual(self.alice.state.increment("c", 5, id="job-1"), one)
        self.assertEqual(self.swarm.state.value("c"), 5)

    def test_a_batch_is_all_or_nothing(self) -> None:
        done = self.alice.state.batch([{"state_key": "a", "value": 1}, {"state_key": "b", "value": 2}])
        self.assertEqual(done["revision"], 1)
        with self.assertRaises(HubError):
            self.alice.state.batch(
                [{"state_key": "a", "value": 9}, {"state_key": "b", "ops": [{"op": "add", "element": 1}]}])
        self.assertEqual(self.swarm.state.value("a"), 1)

    def test_changes_and_history(self) -> None:
        for number in range(5):
            self.alice.state.set(f"k{number}", number)
        batch = self.swarm.state.changes()
        self.assertEqual([change.key for change in batch.changes], [f"k{number}" for number in range(5)])
        self.bob.state.set("k1", 10)
        news = self.swarm.state.changes(batch.cursor)
        self.assertEqual([(change.key, change.value or change.ops) for change in news.changes][0][0], "k1")
        self.assertFalse(news.snapshot)
        self.assertTrue(self.swarm.state.changes("0123456789abcdef-1").snapshot)
        self.assertEqual(self.swarm.state.history("k1")["changes"][0]["agent_id"], "bob")
        self.alice.state.rewind(agent="bob", since=0)
        self.assertEqual(self.swarm.state.value("k1"), 1)

    def test_following_goes_on_through_a_crash_and_misses_nothing(self) -> None:
        seen: list[int] = []
        done = threading.Event()

        def follow() -> None:
            for batch in self.swarm.state.follow():
                for change in batch.changes:
                    seen.append(change.revision)
                if len(seen) and seen[-1] >= 21:
                    return done.set()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        for number in range(10):
            self.alice.state.set(f"k{number}", number)
        self.hub.kill()
        self.hub.start()
        for number in range(10, 21):
            self.alice.state.set(f"k{number}", number)
        self.assertTrue(done.wait(20))
        self.assertEqual(sorted(set(seen)), list(range(1, 22)))

    def test_writes_under_kills_are_done_once(self) -> None:
        stop = threading.Event()
        counts = [0, 0, 0]
        failures: list[BaseException] = []

        def write(number: int) -> None:
            agent = self.swarm.join(f"worker-{number}")
            try:
                while not stop.is_set():
                    agent.state.increment("total")
                    counts[number] += 1
            except BaseException as error:
                failures.append(error)
            finally:
                self.swarm.hub.close()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            self.hub.kill()
            self.hub.start()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.swarm.state.value("total", 0), sum(counts))

    def test_full_sync_with_a_session(self) -> None:
        ready = threading.Event()

        def handler(key: str) -> Answer:
            ready.set()
            return Answer(base=0, ops=[{"op": "add", "element": "from-bob"}])

        threading.Thread(target=self.bob.answer, args=(handler,), daemon=True).start()
        while True:
            report = self.swarm.state.sync("tags", timeout_ms=2000)
            if report["responders"]:
                break
        self.assertTrue(ready.is_set())
        self.assertEqual(self.swarm.state.value("tags"), ["from-bob"])

    def test_memory_and_swarms(self) -> None:
        self.alice.memory.store("notes", "a/b", {"x": 1})
        self.assertEqual(self.swarm.memory.retrieve("notes", "a/b"), {"x": 1})
        self.assertEqual(list(self.swarm.memory.list("notes", "a*")), [("a/b", {"x": 1})])
        self.assertTrue(self.alice.memory.delete("notes", "a/b"))
        self.assertEqual(self.swarm.memory.retrieve("notes", "a/b", "none"), "none")
        hub = self.swarm.hub
        hub.create_swarm("lab", {"policies": [{"pattern": "n", "crdt_type": "counter"}]})
        self.assertEqual(hub.swarms(), ["default", "lab"])
        hub.delete_swarm("lab")
        self.assertEqual(hub.swarms(), ["default"])

    def test_a_hub_that_is_not_there(self) -> None:
        with self.assertRaises(Unreachable):
            Hub("http://127.0.0.1:1", patience=0.2).swarms()
        with self.assertRaises(ValueError):
            Hub("localhost:8420")


if __name__ == "__main__":
    unittest.main()
