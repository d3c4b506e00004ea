"""What an edge node's messages mean, in whatever order they come."""

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from mes_adapters.sparkplug.mapping import (
    BIRTH_DEATH,
    NUMBERS,
    OVERTAKEN_S,
    EdgeNode,
    Kind,
    Message,
    parse_topic,
    topics,
)
from mes_adapters.sparkplug.payload import DataType, Metric, Payload
from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag
from mes_engine.core.samples import DataGap, LinkReport, LinkState, Report, Sample

SETTINGS = SparkplugSettings(url="mqtt://broker", group="line", node="cell")
TAG = "press.good"
TAGS = {TAG: SparkplugTag(metric="good")}
START = 1_795_000_000_000_000


def a_message(kind: Kind, *metrics: Metric, seq: int | None = None) -> Message:
    return Message(
        kind=kind,
        device=None,
        payload=Payload(metrics=metrics, seq=seq, at=START),
        received_at=START,
    )


def a_count(value: int) -> Metric:
    return Metric(name="good", type=DataType.UINT32, value=value, at=START + value)


def a_birth(value: int = 0, *, session: int = 1) -> Message:
    mark = Metric(name=BIRTH_DEATH, type=DataType.UINT64, value=session)
    return a_message(Kind.NODE_BIRTH, a_count(value), mark, seq=0)


def a_death(*, session: int = 1) -> Message:
    mark = Metric(name=BIRTH_DEATH, type=DataType.UINT64, value=session)
    return a_message(Kind.NODE_DEATH, mark)


def data(value: int) -> Message:
    return a_message(Kind.NODE_DATA, a_count(value), seq=value % NUMBERS)


class Ear:
    """An edge node, heard at a time that the test tells."""

    def __init__(self) -> None:
        self.node = EdgeNode(SETTINGS, TAGS)
        self.node.begin()
        self.told: list[Report] = []

    def hears(self, *messages: Message, at_s: float = 100) -> None:
        for message in messages:
            self.told.extend(self.node.hear(message, now_s=at_s))

    def waits(self, until_s: float) -> None:
        self.told.extend(self.node.look(now_s=until_s))

    @property
    def values(self) -> list[object]:
        return [one.value for one in self.told if isinstance(one, Sample)]

    @property
    def gaps(self) -> list[DataGap]:
        return [one for one in self.told if isinstance(one, DataGap)]

    @property
    def states(self) -> list[LinkState]:
        return [one.state for one in self.told if isinstance(one, LinkReport)]


def shuffled(messages: Iterable[Message], chance: random.Random) -> list[Message]:
    """Each is at most a few places from where it was."""
    keyed = [(n + chance.uniform(0, 5), one) for n, one in enumerate(messages)]
    return [one for _, one in sorted(keyed, key=lambda entry: entry[0])]


@given(st.integers(1, 600), st.randoms(use_true_random=False))
def test_messages_out_of_order_or_twice_are_told_once_and_in_order(
    count: int, chance: random.Random
) -> None:
    sent = shuffled(map(data, range(1, count + 1)), chance)
    ear = Ear()
    ear.hears(a_birth())

    for message in sent:
        ear.hears(*[message] * chance.choice([1, 1, 1, 2]))

    assert ear.values == list(range(count + 1))
    assert ear.gaps == []


@given(st.integers(2, 500), st.sets(st.integers(1, 499), min_size=1, max_size=20))
def test_what_is_lost_is_told_and_nothing_goes_back(count: int, lost: set[int]) -> None:
    ear = Ear()
    ear.hears(a_birth())
    now_s = 100.0

    for value in range(1, count + 1):
        if value not in lost:
            ear.hears(data(value), at_s=now_s)
            ear.waits(now_s := now_s + SETTINGS.reorder_s)

    kept = [value for value in range(1, count + 1) if value not in lost]
    assert ear.values == [0, *kept]
    assert bool(ear.gaps) == any(value < max(kept, default=0) for value in lost)


def test_a_death_of_the_session_before_is_not_believed() -> None:
    ear = Ear()
    ear.hears(a_birth(session=2), a_death(session=1))

    assert ear.node.is_alive
    assert ear.states == [LinkState.CONNECTED]


def test_a_birth_overtaken_by_its_death_is_asked_for_again() -> None:
    ear = Ear()
    ear.hears(a_birth(), a_death(), at_s=100)
    ear.hears(a_birth(), at_s=100 + OVERTAKEN_S / 2)

    assert ear.states == [LinkState.CONNECTED, LinkState.DISCONNECTED]
    at_s = ear.node.look_at_s()
    assert at_s is not None
    assert not ear.node.asks_for_birth(at_s - 0.01)
    assert ear.node.asks_for_birth(at_s)
    ear.hears(a_birth(5), at_s=at_s)
    assert len(ear.states) == 3
    assert ear.values[-1] == 5


def test_data_of_a_node_that_was_not_born_only_asks_for_a_birth() -> None:
    ear = Ear()
    assert ear.node.asks_for_birth(100)
    ear.hears(data(3))

    assert ear.told == []
    assert not ear.node.asks_for_birth(100 + SETTINGS.rebirth_s / 2)
    assert ear.node.asks_for_birth(100 + SETTINGS.rebirth_s)


def test_a_birth_in_mid_session_is_no_gap() -> None:
    ear = Ear()
    ear.hears(a_birth(), data(1), a_birth(1), data(1))

    assert ear.gaps == []
    assert ear.states == [LinkState.CONNECTED]


def test_a_connection_of_ours_that_was_lost_is_a_gap_at_the_next_birth() -> None:
    ear = Ear()
    ear.hears(a_birth(), data(1))
    ear.node.begin()
    ear.hears(a_birth(4))

    (gap,) = ear.gaps
    assert gap.since == START + 1
    assert ear.values == [0, 1, 4]


def test_reads_the_topics_that_it_subscribes_to() -> None:
    assert [parse_topic(one.replace("+", "press")) for one in topics(SETTINGS)] == [
        (Kind.NODE_BIRTH, None),
        (Kind.NODE_DATA, None),
        (Kind.NODE_DEATH, None),
        (Kind.DEVICE_BIRTH, "press"),
        (Kind.DEVICE_DATA, "press"),
        (Kind.DEVICE_DEATH, "press"),
    ]
    for strange in ("spBv1.0/STATE/mes", "spBv1.0/line/NCMD/cell", "a/b", ""):
        assert parse_topic(strange) is None
