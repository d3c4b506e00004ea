"""One simulated machine: what it makes, and when."""

from hypothesis import given
from hypothesis import strategies as st

from mes_adapters.simulator.machine import (
    MICROS,
    Change,
    Machine,
    MachineKind,
    PackmlState,
    fate,
)

KIND = MachineKind(id="m", cycle_us=MICROS, scrap_rate=0.3, jam_rate=0.2, seed=5)
CALM = MachineKind(id="m", cycle_us=MICROS)


def made(changes: list[Change]) -> list[tuple[int | None, bool, int]]:
    return [
        (change.serial, change.is_good, change.at)
        for change in changes
        if change.serial is not None
    ]


def test_a_machine_makes_what_it_is_told_and_then_is_idle() -> None:
    machine = Machine(CALM)
    started = machine.start(3, now=0)
    changes = list(machine.advance(10 * MICROS))
    assert started.state is PackmlState.EXECUTE
    assert [at for _, _, at in made(changes)] == [MICROS, 2 * MICROS, 3 * MICROS]
    assert changes[-1].state is machine.state is PackmlState.IDLE
    assert (machine.good, machine.scrap, machine.to_make) == (3, 0, 0)


def test_starting_again_adds_to_what_is_still_to_make() -> None:
    machine = Machine(CALM)
    machine.start(3, now=0)
    list(machine.advance(MICROS))
    machine.start(2, now=MICROS)
    assert machine.to_make == 4


def test_stopping_keeps_what_is_to_be_made_and_loses_the_piece_in_work() -> None:
    machine = Machine(CALM)
    machine.start(3, now=0)
    machine.stop(now=MICROS - 1)
    assert list(machine.advance(9 * MICROS)) == []
    machine.start(0, now=10 * MICROS)
    assert made(list(machine.advance(11 * MICROS))) == [(1, True, 11 * MICROS)]
    assert machine.to_make == 2


def test_a_jam_ends_by_itself() -> None:
    machine = Machine(CALM)
    machine.start(1, now=0)
    jam = machine.interrupt(PackmlState.HELD, now=1, until=5 * MICROS)
    assert jam is not None
    assert jam.state is PackmlState.HELD
    assert list(machine.advance(5 * MICROS - 1)) == []
    resumed, piece, idle = machine.advance(20 * MICROS)
    assert (resumed.state, resumed.at) == (PackmlState.EXECUTE, 5 * MICROS)
    assert piece.at == 6 * MICROS
    assert idle.state is PackmlState.IDLE


def test_only_a_running_machine_jams() -> None:
    machine = Machine(CALM)
    assert machine.interrupt(PackmlState.HELD, now=0, until=MICROS) is None


def test_a_counter_of_16_bits_starts_again_at_0() -> None:
    kind = MachineKind(id="m", cycle_us=1, counter_bits=16)
    machine = Machine(kind, good=65_534)
    machine.start(3, now=0)
    shown = [change.good for change in machine.advance(9) if change.serial]
    assert shown == [65_535, 0, 1]


def test_aborted_stands_until_it_is_started() -> None:
    machine = Machine(CALM)
    machine.run_freely(now=0)
    assert machine.abort(now=1).state is PackmlState.ABORTED
    assert list(machine.advance(9 * MICROS)) == []
    assert machine.start(1, now=9 * MICROS).state is PackmlState.EXECUTE


@given(steps=st.lists(st.integers(0, 7 * MICROS), max_size=30))
def test_what_is_made_does_not_depend_on_how_often_one_looks(steps: list[int]) -> None:
    patient, restless = Machine(KIND), Machine(KIND)
    for machine in (patient, restless):
        machine.start(20, now=0)
    seen: list[Change] = []
    now = 0
    for step in steps:
        now += step
        seen += restless.advance(now)
    assert list(patient.advance(now)) == seen


@given(quantity=st.integers(0, 60), seed=st.integers(), bits=st.sampled_from([16, 32]))
def test_pieces_are_neither_lost_nor_invented(
    quantity: int, seed: int, bits: int
) -> None:
    kind = MachineKind(
        id="m", cycle_us=10, scrap_rate=0.4, jam_rate=0.3, seed=seed, counter_bits=bits
    )
    machine = Machine(kind, good=2**bits - 5, serial=100)
    machine.start(quantity, now=0)
    pieces = made(list(machine.advance(10**12)))
    assert [serial for serial, _, _ in pieces] == list(range(101, 101 + quantity))
    good = sum(is_good for _, is_good, _ in pieces)
    assert (machine.good, machine.scrap) == (
        (2**bits - 5 + good) % 2**bits,
        quantity - good,
    )


@given(seed=st.integers(), serial=st.integers(min_value=1))
def test_a_seed_gives_each_piece_its_fate(seed: int, serial: int) -> None:
    kind = MachineKind(id="m", cycle_us=1, scrap_rate=0.5, jam_rate=0.5, seed=seed)
    assert fate(kind, serial) == fate(kind, serial)


def test_rates_are_kept_in_the_long_run() -> None:
    fates = [fate(KIND, serial) for serial in range(1, 5001)]
    assert 0.27 < sum(not one.is_good for one in fates) / 5000 < 0.33
    assert 0.17 < sum(one.is_followed_by_jam for one in fates) / 5000 < 0.23
