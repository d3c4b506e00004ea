"""A machine of another maker (node-opcua) that runs job orders by itself."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.adapters.opcua.peer import PEERS

NOT_ALLOWED, ALLOWED, RUNNING, INTERRUPTED, ENDED, ABORTED = range(1, 7)


@dataclass
class JobMachine:
    """A running machine; see ``doings`` in ``job_machine.mjs``."""

    process: subprocess.Popen[bytes]
    url: str
    control: str

    def do(self, what: str, **how: Any) -> Any:
        """Have it do something; it has done it when it answers."""
        answer = httpx.post(self.control, json={"do": what, **how}, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()["told"]

    def state(self, job: str) -> int | None:
        """Where a job order stands; None if it is not there."""
        found = self.do("truth")["jobs"].get(job)
        return None if found is None else int(found["state"])

    def asked(self, job: str) -> list[str]:
        """Every method that it was asked for a job order, and took."""
        asked = self.do("truth")["asked"]
        return [
            str(one["method"])
            for one in asked
            if one["id"] == job and one["status"] == 1
        ]


@contextmanager
def job_machine(**given: Any) -> Iterator[JobMachine]:
    """Run a machine; ``hasList: false`` for one without a list of responses."""
    with subprocess.Popen(
        ["node", "job_machine.mjs", json.dumps(given)],
        cwd=PEERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            while line and not line.startswith(b"{"):
                line = process.stdout.readline()
            assert line, "the machine did not start"
            found = json.loads(line)
            yield JobMachine(
                process,
                f"opc.tcp://127.0.0.1:{found['port']}/machine",
                f"http://127.0.0.1:{found['control']}",
            )
        finally:
            process.kill()
