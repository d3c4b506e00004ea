"""A client of another maker (node-opcua) for our job-control server."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.adapters.opcua.peer import PEERS


class JobClient:
    """Asks and waits for the answer; see ``job_client.mjs``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, what: str, **how: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self._process.stdin.flush()
        answer = self.read()
        assert "error" not in answer, answer
        return answer["told"]

    def call(self, method: str, name: str, comment: str = "") -> int:
        """Call a method that takes an id; return its status."""
        told = self.do("call", method=method, id=name, comment=comment)
        assert told["code"] == "Good", told
        return int(told["status"])

    def store(self, method: str, **order: Any) -> int:
        """Call a method that takes a job order; return its status."""
        told = self.do("call", method=method, order=order)
        assert told["code"] == "Good", told
        return int(told["status"])

    def states(self, name: str) -> list[str]:
        """Return the states of one that is listed; none if it is not."""
        found = [one["states"] for one in self.do("list") if one["id"] == name]
        return [str(state) for state in found[0]] if found else []

    def read(self) -> Any:
        """Read an answer, past what the library says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        while line and not line.startswith("{"):
            line = self._process.stdout.readline()
        assert line, "the client has ended"
        return json.loads(line)


@contextmanager
def job_client(url: str, **given: Any) -> Iterator[JobClient]:
    """Run a client that is connected to ``url``."""
    with subprocess.Popen(
        ["node", "job_client.mjs", json.dumps({"url": url, **given})],
        cwd=PEERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            client = JobClient(process)
            assert client.read() == {"ready": True}
            yield client
        finally:
            process.kill()
