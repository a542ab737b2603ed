"""Client of a MoaiFlow hub: shared state for swarms of agents. One file, standard library only.

    from moaiflow import Hub

    swarm = Hub("http://127.0.0.1:8420").swarm()
    alice = swarm.join("alice")
    alice.state.increment("requests", 3)
    alice.state.add("tasks", "task-7")
    seen = alice.state.read("config")
    alice.state.set("config", {"timeout": 90}, base=seen.cursor if seen else None)
    for batch in swarm.state.follow():          # all that is there, then entry by entry, endlessly
        print(batch.changes)

Every write carries an Idempotency-Key, so that one whose answer is lost is sent again and done once. What a hub that
is away, or busy, does not answer is tried again for `patience` seconds, with growing pauses; then the last error is
raised. A stream resumes from its last place by itself.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import random
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "Batch", "Change", "Hub", "HubError", "Member", "Reading", "Swarm", "Unreachable", "Written"]

JSON = Any

_log = logging.getLogger("moaiflow")


class HubError(Exception):
    """What a hub answers when it does not do what was asked (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, JSON]) -> None:
        self.status = status
        # A word from a closed list, for programs.
        self.code: str = problem.get("code", "unknown")
        self.detail: str = problem.get("detail", "")
        # A JSON Pointer to the field that is to blame.
        self.field: str | None = problem.get("field")
        self.problem = problem
        super().__init__(f"{status} {self.code}: {self.detail}")


class Unreachable(Exception):
    """No hub answers. Whether the last attempt had an effect is unknown; repeating it under its id is safe."""


@dataclass(frozen=True)
class Reading:
    """A key as it is."""

    key: str
    value: JSON
    type: str
    strategy: str
    version: int
    revision: int
    # What the reader has now seen of the swarm: what to give as `base`.
    cursor: str
    timestamp: str
    agent: str
    siblings: JSON = None

    @staticmethod
    def _of(answer: dict[str, JSON]) -> Reading:
        return Reading(
            answer["state_key"], answer["value"], answer["crdt_type"], answer["strategy"], answer["version"],
            answer["revision"], answer["cursor"], answer["timestamp"], answer["agent_id"], answer.get("siblings"))


@dataclass(frozen=True)
class Written:
    """The answer to a write: the key as it is then, and whom the write overwrote."""

    key: str
    revision: int
    version: int
    cursor: str
    # None: the key is absent.
    reading: Reading | None
    overwrote: list[dict[str, JSON]]

    @staticmethod
    def _of(answer: dict[str, JSON]) -> Written:
        reading = Reading._of(answer) if "value" in answer else None
        return Written(
            answer["state_key"], answer["revision"], answer["version"], answer["cursor"], reading,
            answer.get("overwrote", []))


@dataclass(frozen=True)
class Change:
    """What became of one key: `ops` turn the reader's value into the value now, or `value` replaces it."""

    key: str
    revision: int
    agent: str
    timestamp: str
    type: str
    deleted: bool = False
    ops: list[dict[str, JSON]] | None = None
    value: JSON = None

    @staticmethod
    def _of(change: dict[str, JSON]) -> Change:
        delta = change.get("delta", {})
        return Change(
            change["state_key"], change["revision"], change["agent_id"], change["timestamp"], change["crdt_type"],
            change.get("deleted", False), delta.get("ops"), change.get("value", delta.get("replace")))


@dataclass(frozen=True)
class Batch:
    """What one entry changed, or what was missed."""

    changes: list[Change]
    # What the receiver has afterwards; None on every page of a pass but the last.
    cursor: str | None
    # The pass replaces everything that the receiver has.
    snapshot: bool = False
    # The author of the one entry that the batch is; None for what was missed.
    agent: str | None = None


class Hub:
    """A hub at a URL. May be used by several threads: each has a connection of its own."""

    def __init__(
        self, url: str = "http://127.0.0.1:8420", *, token: str | None = None, timeout: float = 30.0,
        patience: float = 30.0,
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a hub; it has the form http://127.0.0.1:8420")
        self._url = url.rstrip("/")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._token = token
        # Seconds that one answer may take.
        self.timeout = timeout
        # Seconds for which a request is tried again.
        self.patience = patience
        self._local = threading.local()

    def swarm(self, name: str = "default") -> Swarm:
        return Swarm(self, name)

    def swarms(self) -> list[str]:
        """The names of all swarms."""
        names: list[str] = []
        after: str | None = None
        while True:
            page = self._call("GET", "/v1/swarms", query={"after": after, "limit": 1000})
            names += [swarm["swarm"] for swarm in page["swarms"]]
            after = page["next"]
            if after is None:
                return names

    def create_swarm(self, name: str, settings: dict[str, JSON] | None = None) -> dict[str, JSON]:
        """Makes a swarm, or replaces its settings if some are given."""
        return self._call("PUT", f"/v1/swarms/{_segment(name)}", settings, key=_key(None))

    def delete_swarm(self, name: str) -> None:
        """Deletes a swarm with all its history."""
        self._call("DELETE", f"/v1/swarms/{_segment(name)}")

    # What an operator asks; with tokens, an admin

    def tokens(self) -> list[dict[str, JSON]]:
        """The tokens that the caller may revoke, without their secrets."""
        tokens: list[dict[str, JSON]] = []
        after: str | None = None
        while True:
            page = self._call("GET", "/v1/tokens", query={"after": after, "limit": 1000})
            tokens += page["tokens"]
            after = page["next"]
            if after is None:
                return tokens

    def create_token(
        self, role: str, *, swarm: str | None = None, agent: str | None = None, covers: str | None = None,
        note: str | None = None, expires_in_ms: int | None = None, requests_per_s: int | None = None,
    ) -> dict[str, JSON]:
        """Makes a token; `token` in the answer is its secret, shown once. Not repeated if the answer is lost."""
        body = {
            "role": role, "swarm": swarm, "agent": agent, "covers": covers, "note": note,
            "expires_in_ms": expires_in_ms, "requests_per_s": requests_per_s,
        }
        return self._call("POST", "/v1/tokens", {name: value for name, value in body.items() if value is not None})

    def revoke_token(self, id: str) -> bool:
        """Ends a token and the streams that it opened; False: there was none."""
        try:
            self._call("DELETE", "/v1/tokens", query={"id": id})
        except HubError as error:
            if error.code == "unknown_token":
                return False
            raise
        return True

    def backup(self, path: str) -> int:
        """Saves a copy of all swarms as one new file; returns its bytes."""
        connection = self._connect(self.timeout)
        try:
            connection.request("POST", "/v1/backup", headers=self._headers())
            response = connection.getresponse()
            if response.status != 200:
                raise HubError(response.status, json.loads(response.read() or b"{}"))
            with open(path, "xb") as file:
                count = 0
                while part := response.read(1 << 20):
                    count += file.write(part)
                return count
        finally:
            connection.close()

    def resolve(self, strategy: str, versions: list[dict[str, JSON]], key: str | None = None) -> dict[str, JSON]:
        """Makes one version of many, without a swarm."""
        body = {"strategy": strategy, "versions": versions} | ({} if key is None else {"state_key": key})
        return self._call("POST", "/v1/resolve", body)

    def conflicts(self, versions: list[dict[str, JSON]], strategy: str | None = None) -> list[str]:
        """The keys whose versions contradict each other."""
        body = {"versions": versions} | ({} if strategy is None else {"strategy": strategy})
        return self._call("POST", "/v1/detect", body)["conflicts"]

    def close(self) -> None:
        """Closes this thread's connection; the next request opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None

    # Requests

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        make = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        return make(self._host, self._port, timeout=timeout)

    def _headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        headers = dict(more or {})
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _call(
        self, method: str, path: str, body: JSON = None, *, query: dict[str, Any] | None = None,
        key: str | None = None, timeout: float | None = None,
    ) -> JSON:
        """One request, tried again until it is answered: GET by its nature, the others under their key."""
        path += _query(query)
        headers = self._headers()
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        may_repeat = method == "GET" or key is not None
        pauses = _Pauses(self.patience if may_repeat else 0.0)
        while True:
            try:
                status, answer, retry_after = self._exchange(method, path, data, headers, timeout or self.timeout)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not pauses.wait(None):
                    raise Unreachable(self._unreachable(method, path, error, self.patience if may_repeat else 0.0)) from error
                continue
            if status < 400:
                return answer
            problem = answer if isinstance(answer, dict) else {}
            if status not in (429, 503) or problem.get("code") == "not_reached" or not pauses.wait(retry_after):
                raise HubError(status, problem)

    def _unreachable(self, method: str, path: str, error: Exception, patience: float) -> str:
        tried = f"; tried for {patience:.0f} s, is 'moai-flow serve' running there?" if patience else ""
        return f"{method} {self._url}{path}: {error}{tried}"

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, JSON, float | None]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect(timeout)
            self._local.connection = connection
        elif connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        text = response.read()
        if response.will_close:
            self.close()
        retry_after = response.getheader("Retry-After")
        return response.status, json.loads(text) if text else None, float(retry_after) if retry_after else None

    def _events(
        self, path: str, query: dict[str, Any], *, resumes: bool, since: str | None = None
    ) -> Iterator[tuple[str, str | None, dict[str, JSON]]]:
        """The events of a stream: name, id, data. Comes back by itself, from the last id where `resumes`."""
        last = since
        is_away = False
        pauses = _Pauses(self.patience)
        while True:
            connection = self._connect(max(self.timeout, 45.0))
            try:
                headers = self._headers({"Accept": "text/event-stream"})
                if last is not None and resumes:
                    headers["Last-Event-ID"] = last
                connection.request("GET", path + _query(query), headers=headers)
                response = connection.getresponse()
                if response.status in (429, 503) and pauses.wait(None):
                    continue
                if response.status != 200:
                    raise HubError(response.status, json.loads(response.read() or b"{}"))
                is_away = False
                for name, identifier, data in _parse(response):
                    pauses = _Pauses(self.patience)
                    if name == "end":
                        if data.get("reason") in ("deleted", "revoked"):
                            return
                        break
                    last = identifier or last
                    yield name, identifier, data
            except (OSError, http.client.HTTPException) as error:
                if not is_away:
                    is_away = True
                    _log.warning("%s is away (%s); trying again", self._url, error)
                if not pauses.wait(None):
                    raise Unreachable(self._unreachable("GET", path, error, self.patience)) from error
            finally:
                connection.close()


class Swarm:
    """One swarm of a hub, for reading; writing takes a name: `join`."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.hub = hub
        self.name = name
        self._path = f"/v1/swarms/{_segment(name)}"
        self.state = StateReader(self)
        self.memory = MemoryReader(self)

    def join(self, agent: str) -> Member:
        return Member(self, agent)

    def status(self) -> dict[str, JSON]:
        return self._call("GET", "")

    def log(self, since: str | int | None = None, limit: int = 100) -> tuple[list[dict[str, JSON]], str | None]:
        """Raw entries, oldest first, and where the page after this one begins; with tokens, for an admin."""
        page = self._call("GET", "/log", query={"since": since, "limit": limit})
        return page["entries"], page["next"]

    def follow_log(self, since: str | int | None = None) -> Iterator[dict[str, JSON]]:
        """Raw entries, and whatever comes from now on."""
        for name, _, data in self.hub._events(f"{self._path}/log", {"since": since}, resumes=True):
            if name == "entry":
                yield data

    def skip(self, revision: int, reason: str, *, dry_run: bool = False, even_if_intact: bool = False) -> dict[str, JSON]:
        """Goes on without an entry that cannot be read; what it did is lost."""
        body = {"revision": revision, "reason": reason, "dry_run": dry_run, "even_if_intact": even_if_intact}
        return self._call("POST", "/skip", body)

    def replicas(self) -> list[dict[str, JSON]]:
        """What the journal knows of offline replicas."""
        return self._call("GET", "/replicas")["replicas"]

    def replica(self, id: str) -> dict[str, JSON] | None:
        try:
            return self._call("GET", f"/replicas/{_segment(id)}")
        except HubError as error:
            if error.code == "unknown_replica":
                return None
            raise

    def agents(self) -> list[dict[str, JSON]]:
        """Who is registered, and how they are, in the order of their names."""
        agents: list[dict[str, JSON]] = []
        after: str | None = None
        while True:
            page = self._call("GET", "/agents", query={"after": after, "limit": 1000})
            agents += page["agents"]
            after = page["next"]
            if after is None:
                return agents

    def agent(self, name: str) -> dict[str, JSON] | None:
        """How an agent is; None: it is not registered."""
        try:
            return self._call("GET", f"/agents/{_segment(name)}")
        except HubError as error:
            if error.code == "unknown_agent":
                return None
            raise

    def _call(self, method: str, path: str, body: JSON = None, **more: Any) -> JSON:
        return self.hub._call(method, self._path + path, body, **more)


class Member:
    """An agent of a swarm: whatever it writes has its name."""

    def __init__(self, swarm: Swarm, agent: str) -> None:
        self.swarm = swarm
        self.agent = agent
        self.state = State(swarm, agent)
        self.memory = Memory(swarm, agent)

    def register(
        self, *, capabilities: list[str] | None = None, weight: int | None = None, capacity: int | None = None,
        heartbeat_interval_ms: int | None = None, public_key: str | None = None, metadata: dict[str, JSON] | None = None,
    ) -> int:
        """Begins this agent's next incarnation, and returns it. What is not given stays as the last one had it."""
        profile = {
            "capabilities": capabilities, "weight": weight, "capacity": capacity,
            "heartbeat_interval_ms": heartbeat_interval_ms, "public_key": public_key, "metadata": metadata,
        }
        body = {name: value for name, value in profile.items() if value is not None}
        return self.swarm._call("PUT", self._agent_path, body, key=_key(None))["incarnation"]

    def unregister(self) -> None:
        """Leaves the swarm."""
        self.swarm._call("DELETE", self._agent_path, key=_key(None))

    def heartbeat(
        self, *, busy_for_ms: int | None = None, progress: JSON = None, status: JSON = None,
    ) -> dict[str, JSON]:
        """Gives a sign of life, as every other request does; returns how the agent is.

        `busy_for_ms` suspends suspicion during a long call; `progress` is anything that changes as work gets on.
        """
        signs = {"busy_for_ms": busy_for_ms, "progress": progress, "status": status}
        body = {name: value for name, value in signs.items() if value is not None}
        return self.swarm._call("POST", f"{self._agent_path}/heartbeat", body)

    @contextlib.contextmanager
    def alive(self, **profile: Any) -> Iterator[int]:
        """Registers, and gives signs of life from a thread of its own until the block ends. Takes what `register` does.

        The agent stays registered afterwards: who has only gone for a while comes back as the next incarnation.
        """
        incarnation = self.register(**profile)
        ended = threading.Event()

        def beat() -> None:
            pause = 1.0
            while not ended.wait(pause):
                try:
                    pause = self.heartbeat()["heartbeat_interval_ms"] / 3000
                except HubError as error:
                    if error.code == "unknown_agent":
                        return
                    pause = 5.0
                except Unreachable:
                    pause = 1.0

        thread = threading.Thread(target=beat, name=f"moaiflow-{self.agent}", daemon=True)
        thread.start()
        try:
            yield incarnation
        finally:
            ended.set()
            thread.join()

    @property
    def _agent_path(self) -> str:
        return f"/agents/{_segment(self.agent)}"

    def session(self, since: str | None = None) -> Iterator[tuple[str, str | None, dict[str, JSON]]]:
        """What the swarm tells this agent: name, id and content of each event, without end.

        `agent` events say who registered, left, failed, recovered; `health` how others are. Those with an id can be
        resumed after it: `since`.
        """
        yield from self.swarm.hub._events(f"{self.swarm._path}{self._agent_path}/events", {}, resumes=True, since=since)

    def reserve(self, replica: str, key: str, amount: int = 0, up: int = 0) -> dict[str, JSON]:
        """Reserves a part of the way to a counter's bounds, to be spent offline; returns what is reserved now."""
        body = {"replica": replica, "amount": amount, "up": up, "agent_id": self.agent}
        return self.swarm._call("POST", f"/state/{_segment(key)}/rights", body, key=_key(None))["reserved"]

    def send_deltas(self, replica: str, deltas: list[dict[str, JSON]]) -> dict[str, JSON]:
        """Sends what an offline replica of this agent wrote; the same delta twice is done once."""
        body = {"deltas": deltas, "agent_id": self.agent}
        return self.swarm._call("POST", f"/replicas/{_segment(replica)}/deltas", body, key=_key(None))

    def announce(self, replica: str, n: int) -> None:
        """Says that writes of a replica were met that the hub may not have."""
        self.swarm._call(
            "POST", f"/replicas/{_segment(replica)}/announce", {"n": n, "agent_id": self.agent}, key=_key(None))

    def resolve_delta(self, replica: str, n: int) -> None:
        """Takes a refused delta off the list."""
        self.swarm._call(
            "POST", f"/replicas/{_segment(replica)}/resolve", {"n": n, "agent_id": self.agent}, key=_key(None))

    def close_replica(self, replica: str) -> None:
        """Ends an offline replica of this agent: what it reserved is free again."""
        self.swarm._call(
            "DELETE", f"/replicas/{_segment(replica)}", query={"agent_id": self.agent}, key=_key(None))

    def answer(self, handler: Callable[[str], Answer | None]) -> None:
        """Keeps this agent's session, and answers full syncs by what `handler` says it has of a key. Never returns."""
        path = f"{self.swarm._path}/agents/{_segment(self.agent)}/events"
        for name, _, data in self.swarm.hub._events(path, {}, resumes=False):
            if name != "state_request":
                continue
            answer = handler(data["state_key"]) or Answer()
            body: dict[str, JSON] = {"agent_id": self.agent}
            if answer.base is not None:
                body["base"] = answer.base
            if answer.ops is not None:
                body["ops"] = answer.ops
            elif answer.has_value:
                body["value"] = answer.value
            try:
                self.swarm._call("POST", f"/sync/{data['request_id']}/responses", body)
            except HubError as error:
                if error.code != "unknown_request":
                    raise


@dataclass(frozen=True)
class Answer:
    """What an agent has of a key: operations since `base`, or the value as it knows it, or nothing new."""

    base: str | int | None = None
    ops: list[dict[str, JSON]] | None = None
    value: JSON = field(default=None)
    has_value: bool = False


class StateReader:
    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm

    def read(self, key: str, *, at: str | int | None = None, at_least: str | int | None = None, wait_ms: int | None = None) -> Reading | None:
        """The key as it is, or was at a revision; None: it is absent."""
        query = {"at": at, "at_least": at_least, "wait_ms": wait_ms}
        try:
            return Reading._of(self._swarm._call("GET", f"/state/{_segment(key)}", query=query))
        except HubError as error:
            if error.code == "unknown_key":
                return None
            raise

    def value(self, key: str, default: JSON = None) -> JSON:
        reading = self.read(key)
        return default if reading is None else reading.value

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with `prefix`, in the order of their bytes."""
        after: str | None = None
        while True:
            page = self._swarm._call("GET", "/state", query={"prefix": prefix, "after": after, "limit": 1000})
            for key in page["keys"]:
                yield key["state_key"]
            after = page["next"]
            if after is None:
                return

    def changes(self, since: str | int | None = None, prefix: str = "") -> Batch:
        """Everything that changed since a cursor, each key once."""
        changes: list[Change] = []
        snapshot = False
        while True:
            page = self._swarm._call("GET", "/changes", query={"since": since, "prefix": prefix, "limit": 1000})
            if page["snapshot"] and not snapshot:
                changes, snapshot = [], True
            changes += [Change._of(change) for change in page["changes"]]
            if not page["more"]:
                return Batch(changes, page["cursor"], snapshot)
            since = page["next"]

    def follow(self, since: str | int | None = None, prefix: str = "") -> Iterator[Batch]:
        """What changed since a cursor and whatever changes from now on. Ends when the swarm is deleted."""
        path = f"{self._swarm._path}/changes"
        for name, _, data in self._swarm.hub._events(path, {"since": since, "prefix": prefix}, resumes=True):
            if name in ("change", "snapshot"):
                yield Batch(
                    [Change._of(change) for change in data["changes"]], data.get("cursor"), name == "snapshot",
                    data.get("agent_id"))

    def history(self, key: str, limit: int = 50, before: str | int | None = None) -> dict[str, JSON]:
        """Who changed the key, newest first."""
        return self._swarm._call("GET", f"/state/{_segment(key)}/history", query={"limit": limit, "before": before})

    def explain(self, key: str) -> dict[str, JSON]:
        """Why the value is what it is."""
        return self._swarm._call("GET", f"/state/{_segment(key)}/explain")

    def sync(self, key: str, timeout_ms: int = 5000, quorum: int | None = None) -> dict[str, JSON]:
        """Asks every agent with a session for what it has of the key, and merges the answers."""
        body = {"timeout_ms": timeout_ms} | ({} if quorum is None else {"quorum": quorum})
        return self._swarm._call(
            "POST", f"/state/{_segment(key)}/sync", body, key=_key(None), timeout=self._swarm.hub.timeout + timeout_ms / 1000)


class State(StateReader):
    """Shared state as an agent reads and writes it. `key` arguments named `id` repeat a command: the same id twice is
    done once."""

    def __init__(self, swarm: Swarm, agent: str) -> None:
        super().__init__(swarm)
        self.agent = agent

    def increment(self, key: str, by: int = 1, *, id: str | None = None) -> Written:
        return self.perform(key, [{"op": "increment", "by": by}], id=id)

    def add(self, key: str, element: JSON, *, id: str | None = None) -> Written:
        return self.perform(key, [{"op": "add", "element": element}], id=id)

    def remove(self, key: str, element: JSON, *, base: str | int | None = None, id: str | None = None) -> Written:
        return self.perform(key, [{"op": "remove", "element": element}], base=base, id=id)

    def put(self, key: str, name: str, value: JSON, *, base: str | int | None = None, id: str | None = None) -> Written:
        """Puts one field of a map."""
        return self.perform(key, [{"op": "put", "field": name, "value": value}], base=base, id=id)

    def remove_field(self, key: str, name: str, *, base: str | int | None = None, id: str | None = None) -> Written:
        return self.perform(key, [{"op": "remove_field", "field": name}], base=base, id=id)

    def perform(
        self, key: str, ops: list[dict[str, JSON]], *, base: str | int | None = None,
        if_revision: str | int | None = None, id: str | None = None,
    ) -> Written:
        """Several operations on one key, together."""
        body = self._body({"ops": ops, "base": base, "if_revision": if_revision})
        return Written._of(self._swarm._call("POST", f"/state/{_segment(key)}/ops", body, key=_key(id)))

    def set(
        self, key: str, value: JSON, *, type: str | None = None, strategy: str | None = None,
        base: str | int | None = None, if_revision: str | int | None = None, replace: bool = False,
        id: str | None = None,
    ) -> Written:
        """Writes a whole value. Over a set or map it adds and puts; with `base` it also removes what was there then and
        is not in the value."""
        body = self._body({"crdt_type": type, "strategy": strategy, "base": base, "if_revision": if_revision})
        body["value"] = value
        if replace:
            body["replace"] = True
        return Written._of(self._swarm._call("PUT", f"/state/{_segment(key)}", body, key=_key(id)))

    def delete(
        self, key: str, *, base: str | int | None = None, if_revision: str | int | None = None, id: str | None = None
    ) -> bool:
        """Deletes the key; False: there was none."""
        query = {"agent_id": self.agent, "base": base, "if_revision": if_revision}
        try:
            self._swarm._call("DELETE", f"/state/{_segment(key)}", query=query, key=_key(id))
        except HubError as error:
            if error.code == "unknown_key":
                return False
            raise
        return True

    def batch(self, writes: list[dict[str, JSON]], *, id: str | None = None) -> dict[str, JSON]:
        """Several writes in one entry: all or nothing."""
        return self._swarm._call("POST", "/batch", self._body({"writes": writes}), key=_key(id))

    def rewind(
        self, *, agent: str | None = None, since: str | int | None = None, revision: str | int | None = None,
        keys: list[str] | None = None, partial: bool = False, dry_run: bool = False, id: str | None = None,
    ) -> dict[str, JSON]:
        """Takes back what an agent wrote since a revision, or what one entry did."""
        body = {"agent_id": agent, "since": since, "revision": revision, "keys": keys, "author": self.agent}
        body = {name: value for name, value in body.items() if value is not None}
        body |= {"partial": partial, "dry_run": dry_run}
        return self._swarm._call("POST", "/rewind", body, key=_key(id))

    def _body(self, fields: dict[str, JSON]) -> dict[str, JSON]:
        return {"agent_id": self.agent} | {name: value for name, value in fields.items() if value is not None}


class MemoryReader:
    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm

    def retrieve(self, namespace: str, key: str, default: JSON = None) -> JSON:
        try:
            return self._swarm._call("GET", f"/memory/{_segment(namespace)}/{_segment(key)}")["value"]
        except HubError as error:
            if error.code == "unknown_key":
                return default
            raise

    def list(self, namespace: str, pattern: str = "*") -> Iterator[tuple[str, JSON]]:
        after: str | None = None
        while True:
            page = self._swarm._call(
                "GET", f"/memory/{_segment(namespace)}", query={"pattern": pattern, "after": after, "limit": 1000})
            for entry in page["entries"]:
                yield entry["key"], entry["value"]
            after = page["next"]
            if after is None:
                return

    def statistics(self) -> list[dict[str, JSON]]:
        return self._swarm._call("GET", "/memory")["namespaces"]


class Memory(MemoryReader):
    def __init__(self, swarm: Swarm, agent: str) -> None:
        super().__init__(swarm)
        self.agent = agent

    def store(self, namespace: str, key: str, value: JSON, *, persistent: bool = True, id: str | None = None) -> None:
        self._swarm._call(
            "PUT", f"/memory/{_segment(namespace)}/{_segment(key)}", {"value": value, "agent_id": self.agent},
            query={"persistent": "true" if persistent else "false"}, key=_key(id))

    def delete(self, namespace: str, key: str, *, id: str | None = None) -> bool:
        try:
            self._swarm._call(
                "DELETE", f"/memory/{_segment(namespace)}/{_segment(key)}", query={"agent_id": self.agent}, key=_key(id))
        except HubError as error:
            if error.code == "unknown_key":
                return False
            raise
        return True

    def clear(self, namespace: str) -> int:
        return self._swarm._call("DELETE", f"/memory/{_segment(namespace)}", query={"agent_id": self.agent})["deleted"]


class _Pauses:
    """Growing pauses with jitter, so that many clients do not come back at the same instant."""

    def __init__(self, patience: float) -> None:
        self._until = time.monotonic() + patience
        self._next = 0.05

    def wait(self, at_least: float | None) -> bool:
        """Pauses; False: there is no time left."""
        pause = max(self._next * random.uniform(0.5, 1.5), (at_least or 0.0) * random.uniform(1.0, 1.25))
        self._next = min(self._next * 2, 2.0)
        if time.monotonic() + pause > self._until:
            return False
        time.sleep(pause)
        return True


def _parse(response: http.client.HTTPResponse) -> Iterator[tuple[str, str | None, dict[str, JSON]]]:
    """The events of an event stream (WHATWG HTML, section 9.2), without comments."""
    name, identifier, data = "message", None, []
    while True:
        line = response.readline()
        if not line:
            raise http.client.IncompleteRead(b"")
        text = line.decode().rstrip("\r\n")
        if not text:
            if data:
                yield name, identifier, json.loads("\n".join(data))
            name, identifier, data = "message", None, []
        elif text.startswith("event: "):
            name = text[7:]
        elif text.startswith("id: "):
            identifier = text[4:]
        elif text.startswith("data: "):
            data.append(text[6:])


def _segment(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _query(items: dict[str, Any] | None) -> str:
    given = {name: value for name, value in (items or {}).items() if value not in (None, "")}
    return "?" + urllib.parse.urlencode(given) if given else ""


def _key(given: str | None) -> str:
    return given or uuid.uuid4().hex
