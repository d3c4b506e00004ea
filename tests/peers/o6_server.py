"""A machine with an OPC UA server on open62541 (C, through ``o6``), as a program.

Its nodes have numbers, and stand in folders. It does each command (a line of JSON), and
answers it with one line. It ends when its standard input does, and anyhow after ten
minutes: so ``o6`` runs where nobody has paid for it.

It listens on every address there is, so it is run in a network of its own, and reached
by a Unix socket: ``unshare --net python -m tests.peers.o6_server /tmp/o6``
"""

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

import o6

from tests.peers.enclosing import bring_loopback_up, serve_file

URI = "urn:peer:cell"
PORT = 4840
FOLDER, EVENT_TYPE = "ns=1;i=5000", "ns=1;i=900"
PROPERTY, HAS_PROPERTY, EVENTS, SERVER = "i=68", "i=46", "i=2041", "i=2253"
BOOLEAN, UINT16, UINT32, TEXT = "i=1", "i=5", "i=7", "i=12"
NODES = {
    "good": (6001, o6.UInt32, UINT32),
    "state": (6002, o6.UInt32, UINT32),
    "jam": (6003, o6.UInt32, UINT32),
    "request": (6011, bool, BOOLEAN),
    "key": (6012, o6.UInt16, UINT16),
    "made": (6013, o6.UInt16, UINT16),
}


class Access(o6.AccessControl):  # type: ignore[misc]  # its types are left out
    """Anybody may do anything; without it, no session is given another's items."""

    def allowTransferSubscription(self, *sessions: object) -> bool:  # noqa: N802
        return True


class Machine:
    """What it shows, and tells."""

    def __init__(self, server: o6.Server) -> None:
        self._server = server
        server.addObject("Cell", server.objectsNode, nodeId=FOLDER)
        for name, (number, kind, data_type) in NODES.items():
            server.addVariable(
                name, FOLDER, kind(0), nodeId=f"ns=1;i={number}", dataType=data_type
            )
        server.addObjectType("PartMadeType", EVENTS, nodeId=EVENT_TYPE)
        for number, (name, first, kind) in enumerate(
            (("Serial", "", TEXT), ("Scrap", False, BOOLEAN)), start=901
        ):
            server.addVariable(
                name,
                EVENT_TYPE,
                first,
                nodeId=f"ns=1;i={number}",
                dataType=kind,
                typeDefinition=PROPERTY,
                parentReference=HAS_PROPERTY,
            )

    def set(self, name: str, value: int, *, is_bad: bool = False) -> None:
        number, kind, _ = NODES[name]
        status = o6.StatusCode.BAD_SENSOR_FAILURE if is_bad else o6.StatusCode.GOOD
        self._server.write(
            f"ns=1;i={number}", o6.DataValue(value=kind(value), status=status)
        ).check()

    def tell(self, serial: str) -> None:
        self._server.createEvent(
            EVENT_TYPE,
            source=SERVER,
            message="made",
            severity=100,
            fields={"/1:Serial": serial, "/1:Scrap": False},
        )

    def do(self, what: str, how: dict[str, Any]) -> Any:
        match what:
            case "set":
                self.set(**how)
            case "tell":
                self.tell(**how)
            case _:
                raise SystemExit(f"{what}?")


def say(told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    bring_loopback_up()
    server = o6.Server(port=PORT, applicationUri=URI, accessControl=Access())
    server.start()
    path = Path(sys.argv[1])
    reached = threading.Thread(
        target=lambda: asyncio.run(serve_file(path, PORT)), daemon=True
    )
    reached.start()
    machine = Machine(server)
    while not path.exists():
        reached.join(0.01)
    say({"path": str(path)})
    for line in sys.stdin:
        given = json.loads(line)
        say(machine.do(given.pop("do"), given))
    server.stop()


if __name__ == "__main__":
    main()
