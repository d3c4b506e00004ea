"""Another plant: what is loaded keeps its place, what waits follows."""

import msgspec
import pytest

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import Signal, SignalMeaning
from mes_engine.core.samples import LinkState
from tests.core.loops import is_sound
from tests.core.plants import a_plant, a_signal
from tests.core.shop import SECOND
from tests.core.situations import loaded, ready


def test_the_plant_keeps_what_something_is_loaded_on() -> None:
    shop = loaded()
    units = tuple(one for one in a_plant().work_units if one.id != "cut-1")
    smaller = a_plant(work_units=units, signals=())

    answer = shop.refused(m.ApplyPlant(plant=smaller))
    assert answer.message == "cut-1 cannot be removed: JO-000001 is loaded on it."

    shop.fire("cut", T.UNLOAD)
    shop.ok(m.ApplyPlant(plant=smaller))
    assert shop.job("cut").state is S.ALLOWED_WAITING
    shop.ok(m.ApplyPlant(plant=a_plant()))
    assert shop.job("cut").state is S.ALLOWED_READY


def test_the_plant_keeps_a_loaded_unit_at_its_work_center() -> None:
    shop = loaded()
    units = tuple(
        one
        if one.id != "cut-1"
        else type(one)(id="cut-1", work_center="WC-MILL", name="cut", classes=("cut",))
        for one in a_plant().work_units
    )

    answer = shop.refused(m.ApplyPlant(plant=a_plant(work_units=units)))

    assert answer.message.startswith("cut-1 cannot leave WC-CUT")


def test_a_work_center_that_is_gone_leaves_its_queue_waiting() -> None:
    shop = ready()
    gone = a_plant()
    centers = tuple(one for one in gone.work_centers if one.id != "WC-CUT")
    units = tuple(one for one in gone.work_units if one.id != "cut-1")

    shop.ok(
        m.ApplyPlant(plant=a_plant(work_centers=centers, work_units=units, signals=()))
    )

    assert shop.job("cut").state is S.ALLOWED_WAITING


def test_the_plant_keeps_the_type_of_a_carrier_that_something_is_in() -> None:
    shop = loaded()
    shop.ok(m.RegisterCarrier(carrier="P-1", carrier_type="pallet"))
    lot = shop.receive("2", material="lid", unit="C62")
    shop.ok(m.PackCarrier(carrier="P-1", contents=(lot,)))

    answer = shop.refused(m.ApplyPlant(plant=a_plant(carrier_types=())))

    assert answer.unmet == ("carrier_empty: P-1 is in use",)
    shop.ok(m.UnpackCarrier(carrier="P-1"))
    shop.ok(m.ApplyPlant(plant=a_plant(carrier_types=())))


MODE = a_signal("cut-1.mode", means=SignalMeaning.MODE)
STATE = a_signal("cut-1.state", means=SignalMeaning.STATE)
SLOW_STATE = msgspec.structs.replace(STATE, debounce_us=SECOND)
COUNT = a_signal("cut-1.good")
MAINTENANCE, ABORTED = 2, 9


@pytest.mark.parametrize(
    ("signals", "says", "left"),
    [
        ((STATE, MODE), ((STATE, 4), (MODE, MAINTENANCE)), (STATE,)),
        ((STATE, COUNT), ((STATE, ABORTED),), (COUNT,)),
        ((SLOW_STATE, COUNT), ((SLOW_STATE, ABORTED),), (COUNT,)),
        ((STATE,), ((STATE, ABORTED),), ()),
    ],
    ids=["mode", "state", "slow state", "all"],
)
def test_what_no_signal_tells_any_more_is_forgotten_and_news_when_it_is_back(
    signals: tuple[Signal, ...],
    says: tuple[tuple[Signal, int], ...],
    left: tuple[Signal, ...],
) -> None:
    shop = ready()

    def have(*some: Signal) -> bool:
        shop.ok(m.ApplyPlant(plant=a_plant(signals=some)))
        shop.link(LinkState.CONNECTED)
        return shop.job("cut").state is S.ALLOWED_READY

    def tell() -> bool:
        for signal, word in says:
            shop.sense(signal.tag, word)
            shop.at += 2 * SECOND
            shop.sense(signal.tag, word)
        return shop.job("cut").state is S.ALLOWED_READY

    assert have(*signals)
    assert not tell()
    assert have(*left)
    assert have(*signals)
    assert not tell()
    assert is_sound(shop)
