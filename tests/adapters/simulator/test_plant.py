"""The plant, its file of pieces, and what its counters resume from."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from mes_adapters.simulator.machine import Change, Machine, MachineKind, PackmlState
from mes_adapters.simulator.modbus_server import to_registers
from mes_adapters.simulator.plant import (
    Plant,
    count_pieces,
    make_machines,
    open_piece_file,
)
from mes_adapters.simulator.settings import DEFAULT_PLANT, PlantSettings, load_plant

KIND = MachineKind(id="press-2", cycle_us=10, scrap_rate=0.3, counter_bits=16)


def machines(
    path: Path, *, is_volatile: bool = False, **start: int
) -> dict[str, Machine]:
    return {
        machine.kind.id: machine
        for machine in make_machines(
            DEFAULT_PLANT,
            seed=0,
            speed=1,
            made=count_pieces(path),
            start_counts={f"press-2.{name}": count for name, count in start.items()},
            is_volatile=is_volatile,
        )
    }


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    """The file after press-2 made 30 pieces."""
    path = tmp_path / "pieces.jsonl"
    with open_piece_file(path) as file:
        plant = Plant([Machine(KIND)], file)
        plant.show([plant.machines["press-2"].start(30, now=0)])
        plant.tick(10_000)
    return path


def test_every_piece_is_a_line_with_serial_result_and_time(pieces: Path) -> None:
    lines = [json.loads(line) for line in pieces.read_text().splitlines()]
    assert [line["serial"] for line in lines] == list(range(1, 31))
    assert {line["result"] for line in lines} == {"good", "scrap"}
    assert [line["at_us"] for line in lines] == list(range(10, 301, 10))


def test_a_piece_is_in_the_file_before_a_counter_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "pieces.jsonl"
    with open_piece_file(path) as file:
        plant = Plant([Machine(KIND)], file)
        in_file: list[int] = []
        shown: list[int] = []

        def look(change: Change) -> None:
            in_file.append(len(path.read_bytes().splitlines()))
            shown.append(change.good + change.scrap)

        plant.add_display(look)
        plant.show([plant.machines["press-2"].start(5, now=0)])
        plant.tick(10_000)
    assert shown[-1] == 5
    assert in_file == shown


def test_counters_resume_from_the_file(pieces: Path) -> None:
    made = count_pieces(pieces)
    resumed = machines(pieces)["press-2"]
    assert resumed.good == made["press-2", "good"]
    assert resumed.scrap == made["press-2", "scrap"]
    assert resumed.serial == 30
    assert resumed.state is PackmlState.IDLE


def test_volatile_counters_forget_but_serials_go_on(pieces: Path) -> None:
    forgetful = machines(pieces, is_volatile=True)["press-2"]
    assert (forgetful.good, forgetful.scrap, forgetful.serial) == (0, 0, 30)


def test_a_start_count_is_where_it_stood_before_the_first_piece(pieces: Path) -> None:
    made = count_pieces(pieces)["press-2", "good"]
    resumed = machines(pieces, good=65_530)["press-2"]
    assert resumed.good == (65_530 + made) % 65_536 < 65_530


def test_a_line_cut_short_by_a_crash_is_no_piece(pieces: Path) -> None:
    whole = pieces.read_bytes()
    pieces.write_bytes(whole + b'{"machine": "press-2", "serial": 31, "res')
    assert count_pieces(pieces).total() == 30
    with open_piece_file(pieces):
        pass
    assert pieces.read_bytes() == whole


def test_registers_hold_both_words_of_a_counter() -> None:
    shown = Change(
        machine="m", at=0, state=PackmlState.HELD, good=0x0001_0002, scrap=0x0003_0004
    )
    assert to_registers(shown, counter_bits=32) == [1, 2, 3, 4, 11]


def test_the_plant_has_the_machines_that_configurations_name() -> None:
    assert [machine.id for machine in DEFAULT_PLANT.machines] == [
        *("mill-1", "mill-2", "lathe-1"),
        *("press-1", "press-2", "wash-1", "pack-1"),
    ]


def test_a_plant_of_ones_own_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "plant.json"
    path.write_text(DEFAULT_PLANT.model_dump_json())
    assert load_plant(path) == DEFAULT_PLANT


@pytest.mark.parametrize(
    "machines",
    [
        [],
        [{"id": "a", "protocol": "modbus"}],
        [{"id": "a", "protocol": "opcua", "unit": 1}],
        [{"id": "a", "protocol": "opcua"}] * 2,
        [
            {"id": "a", "protocol": "modbus", "unit": 1},
            {"id": "b", "protocol": "modbus", "unit": 1},
        ],
        [{"id": "a", "protocol": "opcua", "counter_bits": 8}],
        [{"id": "a", "protocol": "opcua", "colour": "red"}],
    ],
)
def test_a_plant_that_cannot_be_is_refused(machines: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        PlantSettings.model_validate({"machines": machines})
