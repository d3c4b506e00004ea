"""The checkweigher keeps to four phases, whatever its reader does."""

from mes_adapters.simulator.machine import Change, PackmlState
from mes_adapters.simulator.weigher import (
    ACK,
    BOOT,
    FIRST,
    KEY,
    REQUEST,
    RESULT,
    WEIGHT,
    Weigher,
)


def made(serial: int, machine: str = "pack-1") -> Change:
    return Change(
        machine=machine,
        at=0,
        state=PackmlState.EXECUTE,
        good=serial,
        scrap=0,
        serial=serial,
    )


def shown(weigher: Weigher, *addresses: int) -> list[int]:
    words = weigher.words()
    return [words[address - FIRST] for address in addresses]


def test_a_weight_is_handed_over_in_four_phases() -> None:
    weigher = Weigher("pack-1", boot=70_000)
    assert shown(weigher, REQUEST) == [0]
    weigher.see(made(1))
    up, key, boot, grams = shown(weigher, REQUEST, KEY, BOOT, WEIGHT)
    assert (up, key, boot) == (1, 1, 70_000 % 65_536)
    assert 245 <= grams <= 255
    weigher.write(RESULT, 1)
    assert shown(weigher, REQUEST) == [1]
    weigher.write(ACK, 1)
    assert shown(weigher, REQUEST) == [0]
    weigher.see(made(2))
    assert shown(weigher, REQUEST) == [0]  # the ack is up still
    weigher.write(ACK, 0)
    assert shown(weigher, REQUEST, KEY) == [1, 2]
    (handed,) = weigher.handed_over
    assert (handed.key, handed.grams, handed.result) == (1, grams, 1)


def test_what_it_shows_stays_until_it_is_acknowledged() -> None:
    weigher = Weigher("pack-1", boot=1)
    weigher.see(made(1))
    before = weigher.words()
    for serial in (2, 3):
        weigher.see(made(serial))
    assert weigher.words() == before
    weigher.write(ACK, 1)
    weigher.write(ACK, 0)
    assert shown(weigher, REQUEST, KEY) == [1, 2]
    weigher.write(ACK, 1)
    weigher.write(ACK, 0)
    assert shown(weigher, REQUEST) == [0]


def test_pieces_of_others_are_not_weighed() -> None:
    weigher = Weigher("pack-1", boot=1)
    weigher.see(made(1, "press-1"))
    assert shown(weigher, REQUEST) == [0]
