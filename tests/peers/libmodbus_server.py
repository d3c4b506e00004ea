"""A Modbus device on libmodbus (C), as a program: TCP, or RTU on a serial line.

It has counters that run by themselves, rules for how it misbehaves, and answers each
command (a line of JSON) with one line. It ends when its standard input does.

Run it: ``python -m tests.peers.libmodbus_server --tcp 0 --units 1,2``
"""

import argparse
import ctypes
import ctypes.util
import json
import os
import random
import select
import socket
import sys
import threading
import time
from typing import Any

SIZE = 1200
LONGEST = 260
FUNCTIONS = {1: "coil", 2: "discrete", 3: "holding", 4: "input", 5: "coil"}
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


class Mapping(ctypes.Structure):
    """``modbus_mapping_t``."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("nb_bits", "start_bits")),
        *((name, ctypes.c_int) for name in ("nb_input_bits", "start_input_bits")),
        *((n, ctypes.c_int) for n in ("nb_input_registers", "start_input_registers")),
        *((name, ctypes.c_int) for name in ("nb_registers", "start_registers")),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def load() -> ctypes.CDLL:
    """Load libmodbus, and say what its functions take."""
    found = ctypes.util.find_library("modbus")
    if found is None:
        raise SystemExit("libmodbus is not installed")
    lib = ctypes.CDLL(found, use_errno=True)
    context, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    lib.modbus_new_tcp.argtypes = [text, number]
    lib.modbus_new_tcp.restype = context
    lib.modbus_new_rtu.argtypes = [text, number, ctypes.c_char, number, number]
    lib.modbus_new_rtu.restype = context
    lib.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    lib.modbus_tcp_listen.argtypes = [context, number]
    lib.modbus_connect.argtypes = [context]
    lib.modbus_get_socket.argtypes = [context]
    lib.modbus_set_socket.argtypes = [context, number]
    lib.modbus_set_slave.argtypes = [context, number]
    lib.modbus_receive.argtypes = [context, text]
    lib.modbus_reply.argtypes = [context, text, number, ctypes.POINTER(Mapping)]
    lib.modbus_reply_exception.argtypes = [context, text, ctypes.c_uint]
    return lib


class Counter:
    """A counter of the machine: its registers follow it, word by word if told so."""

    def __init__(self, registers: Any, given: dict[str, Any]) -> None:
        self._registers = registers
        self._given = given
        self.value = int(given.get("start", 0))
        self.made = 0
        self.halted = threading.Event()
        self.show()
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()

    def run(self) -> None:
        bits = 16 * int(self._given["words"])
        modulo = int(self._given.get("modulo", 2**bits))
        while not self.halted.wait(float(self._given["every_s"])):
            self.made += 1
            self.value = (self.value + int(self._given.get("step", 1))) % modulo
            self.show()

    def show(self) -> None:
        count = int(self._given["words"])
        raw = self.value.to_bytes(2 * count, "big")
        order = self._given.get("order", "ABCD")
        words = [
            int.from_bytes(raw[n : n + 2], "little" if order in ORDERS[2:] else "big")
            for n in range(0, len(raw), 2)
        ]
        if order in ("CDAB", "DCBA"):
            words.reverse()
        self.mark()
        for n, word in enumerate(words):
            if n and self._given.get("torn_s"):
                time.sleep(float(self._given["torn_s"]))
            self._registers[int(self._given["at"]) + n] = word
        self.mark()

    def mark(self) -> None:
        """Tell by a register of its own that the others are being written."""
        if "sequence_at" in self._given:
            at = int(self._given["sequence_at"])
            self._registers[at] = (self._registers[at] + 1) % 65_536

    def halt(self) -> None:
        self.halted.set()
        self._thread.join()


class Device:
    """What the commands change and the requests read."""

    def __init__(self, lib: ctypes.CDLL, units: list[int]) -> None:
        self.lib = lib
        self.units = {
            unit: lib.modbus_mapping_new(SIZE, SIZE, SIZE, SIZE).contents
            for unit in units
        }
        self.rules: list[dict[str, Any]] = []
        self.counters: dict[str, Counter] = {}
        self.asked: list[tuple[float, int, int, int, int]] = []
        self.chance = random.Random(7)

    def table(self, unit: int, name: str) -> Any:
        there = self.units[unit]
        return {
            "holding": there.tab_registers,
            "input": there.tab_input_registers,
            "coil": there.tab_bits,
            "discrete": there.tab_input_bits,
        }[name]

    def command(self, given: dict[str, Any]) -> Any:
        match given["do"]:
            case "set":
                table = self.table(given["unit"], given["table"])
                for n, word in enumerate(given["words"]):
                    table[given["at"] + n] = word
            case "get":
                table = self.table(given["unit"], given["table"])
                return [table[given["at"] + n] for n in range(given["count"])]
            case "rules":
                self.rules = given["rules"]
            case "count":
                table = self.table(given.get("unit", 1), "holding")
                self.counters[given["name"]] = Counter(table, given)
            case "counts":
                return {name: one.value for name, one in self.counters.items()}
            case "halt":
                for one in self.counters.values():
                    one.halt()
                return {name: one.value for name, one in self.counters.items()}
            case "asked":
                asked, self.asked = self.asked, []
                return asked
        return None

    def answer(self, context: int, request: bytes, length: int, head: int) -> None:
        """Answer a request, or misbehave as the rules say."""
        unit, function = request[head - 1], request[head]
        address = int.from_bytes(request[head + 1 : head + 3], "big")
        is_single = function in (5, 6)
        count = 1 if is_single else int.from_bytes(request[head + 3 : head + 5], "big")
        self.asked.append((time.monotonic(), unit, function, address, count))
        if unit not in self.units:
            return
        for rule in self.rules:
            if not self._applies(rule, unit, address, count, function):
                continue
            if "times" in rule:
                rule["times"] -= 1
            if rule.get("latency_s"):
                time.sleep(rule["latency_s"])
            if rule.get("silent"):
                if rule.get("applied"):  # it does as told, and says nothing
                    self._apply(request, head, unit)
                return
            if rule.get("exception"):
                code = rule["exception"]
                self.lib.modbus_reply_exception(context, request, code)
                return
        self.lib.modbus_reply(context, request, length, self.units[unit])

    def _apply(self, request: bytes, head: int, unit: int) -> None:
        address = int.from_bytes(request[head + 1 : head + 3], "big")
        if request[head] == 6:
            word = int.from_bytes(request[head + 3 : head + 5], "big")
            self.units[unit].tab_registers[address] = word

    def _applies(
        self, rule: dict[str, Any], unit: int, address: int, count: int, function: int
    ) -> bool:
        return (
            rule.get("unit") in (None, unit)
            and rule.get("function") in (None, function)
            and rule.get("first", 0) < address + count
            and address <= rule.get("last", 65_535)
            and rule.get("times", 1) > 0
            and self.chance.random() < rule.get("share", 1)
        )


def serve_rtu(lib: ctypes.CDLL, device: Device, path: str) -> None:
    context = lib.modbus_new_rtu(path.encode(), 115_200, b"N", 8, 1)
    lib.modbus_set_slave(context, next(iter(device.units)))
    if lib.modbus_connect(context) == -1:
        raise SystemExit(f"{path}: {os.strerror(ctypes.get_errno())}")
    say({"device": path})
    there = lib.modbus_get_socket(context)
    request = ctypes.create_string_buffer(LONGEST)
    while True:
        for ready in select.select([there, sys.stdin], [], [])[0]:
            if ready is sys.stdin:
                hear(device)
                continue
            length = lib.modbus_receive(context, request)
            if length > 0:
                device.answer(context, request.raw, length, 1)


class Server:
    """Listens, and passes what each connection asks on to the device."""

    def __init__(self, lib: ctypes.CDLL, device: Device, port: int) -> None:
        self.lib = lib
        self.device = device
        self.context = lib.modbus_new_tcp(b"127.0.0.1", port)
        self.listener = socket.socket(fileno=lib.modbus_tcp_listen(self.context, 8))
        self.request = ctypes.create_string_buffer(LONGEST)
        self.heard_at: dict[socket.socket, float] = {}

    def serve(self, *, most: int, idle_s: float) -> None:
        say({"port": self.listener.getsockname()[1]})
        while True:
            wait_s = idle_s / 4 if idle_s and self.heard_at else None
            there = [self.listener, sys.stdin, *self.heard_at]
            for one in select.select(there, [], [], wait_s)[0]:
                if one is sys.stdin:
                    hear(self.device)
                elif one is self.listener:
                    self.join(most)
                elif isinstance(one, socket.socket):
                    self.ask(one)
            for one, at in list(self.heard_at.items()):
                if idle_s and time.monotonic() - at > idle_s:
                    self.leave(one)

    def join(self, most: int) -> None:
        joined, _ = self.listener.accept()
        if len(self.heard_at) >= most:
            joined.close()
        else:
            self.heard_at[joined] = time.monotonic()

    def ask(self, one: socket.socket) -> None:
        self.lib.modbus_set_socket(self.context, one.fileno())
        length = self.lib.modbus_receive(self.context, self.request)
        if length > 0:
            self.device.answer(self.context, self.request.raw, length, 7)
            self.heard_at[one] = time.monotonic()
        elif length == -1:
            self.leave(one)

    def leave(self, one: socket.socket) -> None:
        del self.heard_at[one]
        one.close()


def hear(device: Device) -> None:
    line = sys.stdin.readline()
    if not line:
        raise SystemExit
    say(device.command(json.loads(line)))


def say(told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", type=int)
    parser.add_argument("--rtu")
    parser.add_argument("--units", default="1")
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--idle-close", type=float, default=0)
    given = parser.parse_args()
    lib = load()
    device = Device(lib, [int(unit) for unit in given.units.split(",")])
    if given.rtu:
        serve_rtu(lib, device, given.rtu)
    else:
        most, idle_s = given.most, given.idle_close
        Server(lib, device, given.tcp or 0).serve(most=most, idle_s=idle_s)


if __name__ == "__main__":
    main()
