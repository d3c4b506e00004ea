"""Run the simulated plant: ``python -m mes_adapters.simulator --help``."""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from mes_adapters.simulator.modbus_server import serve_modbus, to_registers
from mes_adapters.simulator.opcua_server import serve_opcua
from mes_adapters.simulator.panel import panel_app, serve_panel
from mes_adapters.simulator.plant import (
    Plant,
    count_pieces,
    make_machines,
    open_piece_file,
)
from mes_adapters.simulator.settings import (
    DEFAULT_PLANT,
    MachineSettings,
    PlantSettings,
    Protocol,
    load_plant,
)
from mes_adapters.simulator.weigher import Weigher

TICK_S = 0.01
COUNTERS = ("good", "scrap")


def main(argv: Sequence[str] | None = None) -> None:
    """Run until SIGTERM, SIGINT or, with ``--parent``, the parent's end."""
    options = _parser().parse_args(argv)
    asyncio.run(_run(options, _chosen_plant(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mes_adapters.simulator")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--file", type=Path, help="the plant, as JSON")
    which.add_argument("--default", action="store_true", help="the built-in plant")
    add = parser.add_argument
    add("--pieces", type=Path, required=True, help="file of every piece made (JSONL)")
    add(
        "--seed", type=int, default=0, help="what becomes of each piece follows from it"
    )
    add("--speed", type=float, default=1.0, help="cycles are this many times as fast")
    add("--cycle-s", type=float, help="cycle time of every machine")
    add("--scrap-rate", type=float, help="share of scrap, every machine")
    add("--jam-rate", type=float, help="share of pieces followed by a jam, every one")
    add("--free-run", action="store_true", help="machines run for ever from the start")
    add("--volatile", action="store_true", help="counters forget former runs")
    add(
        "--start-count",
        action="append",
        default=[],
        type=_start_count,
        metavar="MACHINE.good|scrap=N",
        help="where a counter stood before the first piece",
    )
    add("--opcua-port", type=int, default=4840)
    add("--modbus-port", type=int, default=5020)
    add("--panel-port", type=int, default=5080)
    add("--ports-file", type=Path, help="where to write the real ports, as JSON")
    add("--parent", type=int, help="end when the process with this id has ended")
    return parser


def _start_count(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name.rpartition(".")[2] not in {"good", "scrap"} or not count.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not like press-2.good=65500")
    return name, int(count)


def _chosen_plant(options: argparse.Namespace) -> PlantSettings:
    plant = load_plant(options.file) if options.file else DEFAULT_PLANT
    everywhere = {
        "cycle_s": options.cycle_s,
        "scrap_rate": options.scrap_rate,
        "jam_rate": options.jam_rate,
    }
    given = {name: value for name, value in everywhere.items() if value is not None}
    machines = [
        MachineSettings.model_validate({**dict(machine), **given})
        for machine in plant.machines
    ]
    known = {f"{machine.id}.{count}" for machine in machines for count in COUNTERS}
    unknown = sorted({name for name, _ in options.start_count} - known)
    if unknown:
        raise SystemExit(f"--start-count: the plant has no {', '.join(unknown)}")
    return PlantSettings.model_validate({"machines": machines})


async def _run(options: argparse.Namespace, settings: PlantSettings) -> None:
    gc.disable()  # asyncua builds some 100,000 objects: it takes twice as long with it
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    machines = make_machines(
        settings,
        seed=options.seed,
        speed=options.speed,
        made=count_pieces(options.pieces),
        start_counts=dict(options.start_count),
        is_volatile=options.volatile,
    )
    async with AsyncExitStack() as stack:
        pieces = stack.enter_context(open_piece_file(options.pieces))
        plant = Plant(machines, pieces)
        plant.show(machine.shown(_now()) for machine in plant.machines.values())
        opcua = await stack.enter_async_context(
            serve_opcua(
                [
                    plant.machines[machine.id]
                    for machine in settings.machines
                    if machine.protocol is Protocol.OPCUA
                ],
                port=options.opcua_port,
            )
        )
        plant.add_display(opcua.display)
        modbus_port = await stack.enter_async_context(
            serve_modbus(
                _units(settings, plant),
                port=options.modbus_port,
                weighers=_weighers(settings, plant, seed=options.seed),
            )
        )
        panel_port = await stack.enter_async_context(
            serve_panel(panel_app(plant, _now), port=options.panel_port)
        )
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        jobs = [
            tasks.create_task(_tick(plant, stop, options.parent)),
            tasks.create_task(opcua.run()),
        ]
        if options.free_run:
            for machine in plant.machines.values():
                plant.show([machine.run_freely(now=_now())])
        _announce(
            options.ports_file,
            {
                "opcua": opcua.port,
                "modbus": modbus_port,
                "panel": panel_port,
                "pid": os.getpid(),
            },
        )
        gc.enable()
        await stop.wait()
        for job in jobs:
            job.cancel()


def _units(settings: PlantSettings, plant: Plant) -> dict[int, Callable[[], list[int]]]:
    def registers(machine: MachineSettings) -> Callable[[], list[int]]:
        return lambda: to_registers(
            plant.shown[machine.id], counter_bits=machine.counter_bits
        )

    return {
        machine.unit: registers(machine)
        for machine in settings.machines
        if machine.unit is not None
    }


def _weighers(
    settings: PlantSettings, plant: Plant, *, seed: int
) -> dict[int, Weigher]:
    boot = _now() // 1_000_000
    weighers = {
        machine.unit: Weigher(machine.id, boot=boot, seed=seed)
        for machine in settings.machines
        if machine.unit is not None and machine.weighs
    }
    for weigher in weighers.values():
        plant.add_display(weigher.see)
    return weighers


async def _tick(plant: Plant, stop: asyncio.Event, parent: int | None) -> None:
    first_parent = os.getppid()
    while True:
        plant.tick(_now())
        if parent is not None and _has_ended(parent, first_parent):
            stop.set()
        await asyncio.sleep(TICK_S)


def _has_ended(process: int, first_parent: int) -> bool:
    if process == first_parent:  # seen at once, even while it is a zombie
        return os.getppid() != process
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _announce(ports_file: Path | None, ports: Mapping[str, int]) -> None:
    text = json.dumps(ports)
    if ports_file is not None:
        draft = ports_file.with_name(f"{ports_file.name}.{os.getpid()}")
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(ports_file)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _now() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    main()
