"""Tools, people and documents: what work needs besides material and machine."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.assets import AssetState, LifeUnit, PhysicalAsset
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import DispatchDecided
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.personnel import Person, Qualification, QualificationNeed
from mes_engine.core.runs import HoldScope
from mes_engine.core.state import State
from mes_engine.core.steps import Step
from tests.core.plants import a_routing, a_step
from tests.core.shop import SECOND, Shop
from tests.core.tables import kept_tables

MILL_TOOL = ("END-MILL",)
WELDING = QualificationNeed(name="welding", level=2)


def a_shop(step: Step, quantity: int = 10) -> Shop:
    shop = Shop(a_routing(step))
    shop.make(quantity)
    return shop


def a_tool(shop: Shop, asset: str = "T-1", **changed: Any) -> None:
    fields: dict[str, Any] = {
        "asset": asset,
        "asset_class": "END-MILL",
        "name": "End mill",
        "crib": "CRIB",
    }
    shop.ok(m.RegisterAsset(**fields | changed))


def a_person(shop: Shop, person: str = "Maria", level: int = 2, **changed: Any) -> None:
    shop.ok(m.RegisterPerson(person=person, name=person))
    granted = Qualification(name="welding", level=level, **changed)
    shop.ok(m.GrantQualification(person=person, qualification=granted))


def tool(shop: Shop, asset: str = "T-1") -> PhysicalAsset:
    found = shop.state.physical_asset.get(asset)
    assert found is not None
    return found


def lacks(shop: Shop, step: str = "mill", request: str = "WR-1") -> dict[str, str]:
    conditions = shop.job(step, request).conditions
    return {one.name.value: one.why for one in conditions if not one.is_met}


def load(shop: Shop, unit: str = "mill-1") -> m.LoadJobOrder:
    return m.LoadJobOrder(job_order=shop.job("mill").id, work_unit=unit)


def rebuilds(shop: Shop) -> bool:
    shadow = State()
    for recorded in shop.journal:
        evolve(shadow, recorded)
    return kept_tables(shadow) == shop.kept()


# Nothing named, nothing asked


def test_a_step_that_names_nothing_is_asked_for_nothing() -> None:
    shop = a_shop(a_step("mill"))

    names = {one.name.value for one in shop.job("mill").conditions}

    assert not names & {"tool_available", "person_qualified", "document_released"}
    shop.run("mill", 10)


# Tools


def test_without_a_tool_it_waits_and_says_for_which() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))

    assert lacks(shop) == {"tool_available": "there is no END-MILL"}
    [unmet] = [one for one in shop.job("mill").conditions if not one.is_met]
    assert unmet.mender == "the tool crib"
    a_tool(shop)
    assert shop.job("mill").state is S.ALLOWED_READY


def test_a_run_has_its_tool_alone_from_loading_to_the_end() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop)
    shop.make(10, request="WR-2")
    job = shop.load("mill")

    assert (tool(shop).work_unit, tool(shop).run) == ("mill-1", shop.by_id(job).run)
    second = shop.job("mill", "WR-2")
    answer = shop.refused(m.LoadJobOrder(job_order=second.id, work_unit="mill-1"))
    assert answer.unmet[0].startswith("tool_available: no END-MILL for mill-1: T-1 is")
    dispatched = shop.ok(m.DispatchWorkUnit(work_unit="mill-2"))
    assert dispatched["job_order"] == ""

    shop.begin("mill")
    shop.report("mill", 10)
    shop.complete("mill")
    assert tool(shop).run is None
    assert tool(shop).work_unit == "mill-1"
    shop.ok(m.LoadJobOrder(job_order=second.id, work_unit="mill-1"))


def test_a_busy_tool_is_no_unmet_condition_of_readiness() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop)
    shop.load("mill")
    shop.make(10, request="WR-2")

    assert shop.job("mill", "WR-2").state is S.ALLOWED_READY


def test_dispatch_goes_past_what_lacks_a_tool_there() -> None:
    step = a_step("mill", tools=MILL_TOOL)
    plain = a_routing("mill", id="P", material="plain")
    shop = Shop(a_routing(step), plain)
    a_tool(shop)
    shop.ok(m.MountTool(asset="T-1", work_unit="mill-2"))
    shop.make(10)
    shop.make(10, request="WR-2", routing="P")

    answer = shop.ok(m.DispatchWorkUnit(work_unit="mill-1"))

    assert answer["job_order"] == shop.job("mill", "WR-2").id
    [decision] = shop.facts(DispatchDecided)
    against = decision.decision.candidates[0].unmet
    assert [one.name.value for one in against] == ["tool_available"]
    assert "T-1 is mounted at mill-2" in against[0].why


def test_what_is_mounted_goes_before_the_crib_and_the_more_used_before_the_less() -> (
    None
):
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    for name in ("T-1", "T-2", "T-3"):
        a_tool(shop, name, life_unit=LifeUnit.PIECES, life=Decimal(100))
    shop.ok(m.MountTool(asset="T-3", work_unit="mill-1"))

    job = shop.load("mill")
    assert tool(shop, "T-3").run == shop.by_id(job).run
    shop.ok(m.BeginJobOrder(job_order=job))
    shop.report("mill", 4)
    shop.report("mill", 6)
    shop.complete("mill")
    assert tool(shop, "T-3").used == 10
    shop.ok(m.UnmountTool(asset="T-3"))
    shop.make(5, request="WR-2")
    second = shop.job("mill", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="mill-2"))
    assert tool(shop, "T-3").work_unit == "mill-2"


def test_a_step_may_need_two_of_a_class() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL * 2))
    a_tool(shop)
    assert "tool_available" in lacks(shop)

    a_tool(shop, "T-2")
    run = shop.by_id(shop.load("mill")).run

    assert {tool(shop, name).run for name in ("T-1", "T-2")} == {run}


def test_a_tool_wears_in_mid_run_and_the_run_goes_on_to_its_end() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop, life_unit=LifeUnit.PIECES, life=Decimal(8))
    shop.begin("mill")
    shop.report("mill", 7)
    assert tool(shop).state is AssetState.AVAILABLE

    scrap = (m.Scrapped(quantity=Decimal(1), reason="burr"),)
    shop.report("mill", scrap=scrap)

    assert tool(shop).used == 8
    assert tool(shop).state is AssetState.WORN
    assert lacks(shop) == {"tool_available": "T-1 is worn (8 of 8 pieces)"}
    assert shop.job("mill").state is S.RUNNING_PROCESSING
    shop.report("mill", 2)
    shop.complete("mill")
    shop.make(1, request="WR-2")
    assert shop.job("mill", "WR-2").state is S.ALLOWED_WAITING
    assert "T-1 is worn" in lacks(shop, request="WR-2")["tool_available"]


def test_a_worn_tool_blocks_resuming_until_another_is_mounted() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop, life_unit=LifeUnit.PIECES, life=Decimal(4))
    a_tool(shop, "T-2")
    shop.ok(m.MountTool(asset="T-1", work_unit="mill-1"))
    job = shop.begin("mill")
    shop.report("mill", 4)
    shop.ok(m.PauseJobOrder(job_order=job, reason="change the tool"))
    resume = m.ResumeJobOrder(job_order=job)

    answer = shop.refused(resume)
    assert answer.unmet == ("tool_available: T-1 is worn (4 of 4 pieces)",)
    shop.ok(m.UnmountTool(asset="T-1"))
    answer = shop.refused(resume)
    assert "has no END-MILL" in answer.unmet[0]
    shop.ok(m.MountTool(asset="T-2", work_unit="mill-1"))

    assert tool(shop, "T-2").run == shop.by_id(job).run
    shop.ok(resume)
    shop.report("mill", 6)
    shop.complete("mill")
    assert rebuilds(shop)


def test_a_tool_that_is_withdrawn_blocks_begin_but_keeps_the_place() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop)
    job = shop.load("mill")

    shop.ok(
        m.WithdrawTool(asset="T-1", state=AssetState.IN_CALIBRATION, reason="yearly")
    )

    assert shop.by_id(job).state is S.ALLOWED_LOADED
    answer = shop.refused(m.BeginJobOrder(job_order=job))
    assert answer.unmet == ("tool_available: T-1 is in calibration (yearly)",)
    shop.ok(m.ReturnTool(asset="T-1"))
    shop.ok(m.BeginJobOrder(job_order=job))


def test_uses_are_counted_by_runs_that_were_begun() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop, life_unit=LifeUnit.USES, life=Decimal(2))
    shop.load("mill")
    shop.fire("mill", T.UNLOAD)
    assert tool(shop).used == 0

    for number in (1, 2):
        request = f"WR-{number}"
        if number > 1:
            shop.make(10, request=request)
        job = shop.job("mill", request).id
        shop.ok(m.LoadJobOrder(job_order=job, work_unit="mill-1"))
        shop.ok(m.BeginJobOrder(job_order=job))
        shop.ok(m.ReportQuantity(job_order=job, good=Decimal(10)))
        shop.fire_of(job, T.COMPLETE)
        assert tool(shop).used == number

    assert tool(shop).state is AssetState.WORN
    answer = shop.refused(m.ReturnTool(asset="T-1"))
    assert "nothing left of its life" in answer.message
    shop.ok(m.ReturnTool(asset="T-1", renews_life=True))
    assert tool(shop).used == 0


def test_a_job_takes_its_tools_along() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop)
    job = shop.begin("mill")
    shop.ok(m.PauseJobOrder(job_order=job, reason="noise"))

    shop.ok(m.MoveJobOrder(job_order=job, work_unit="mill-2"))

    assert tool(shop).work_unit == "mill-2"
    assert tool(shop).run == shop.by_id(job).run
    shop.ok(m.ResumeJobOrder(job_order=job))
    assert rebuilds(shop)


def test_what_a_run_has_is_neither_mounted_elsewhere_nor_put_away() -> None:
    shop = a_shop(a_step("mill", tools=MILL_TOOL))
    a_tool(shop)
    job = shop.load("mill")

    for command in (
        m.MountTool(asset="T-1", work_unit="mill-2"),
        m.UnmountTool(asset="T-1"),
    ):
        answer = shop.refused(command)
        assert f"{job} (Maria) has it at mill-1" in answer.message
    shop.malformed(
        m.RegisterAsset(
            asset="T-2",
            asset_class="END-MILL",
            name="x",
            crib="C",
            life_unit=LifeUnit.USES,
        )
    )


# People


def test_somebody_has_to_be_qualified_at_all() -> None:
    shop = a_shop(a_step("mill", qualification=WELDING))
    told = "nobody has the qualification 'welding' at level 2"
    assert lacks(shop) == {"person_qualified": told}

    a_person(shop, "Jo", level=1)
    assert lacks(shop) == {"person_qualified": told}
    a_person(shop, "Jo", level=2)

    assert shop.job("mill").state is S.ALLOWED_READY


def test_who_loads_and_begins_has_to_be_qualified() -> None:
    shop = a_shop(a_step("mill", qualification=WELDING))
    a_person(shop, "Jo", level=3)
    a_person(shop, "Ana", level=1)

    answer = shop.refused(load(shop))
    assert answer.unmet == ("person_qualified: Maria is not known to have 'welding'",)
    answer = shop.refused(load(shop), person="Ana")
    told = "Ana has 'welding' at level 1, and level 2 is needed"
    assert answer.unmet == (f"person_qualified: {told}",)
    dispatch = m.DispatchWorkUnit(work_unit="mill-1")
    assert shop.ok(dispatch)["job_order"] == ""

    shop.ok(load(shop), person="Jo")
    begin = m.BeginJobOrder(job_order=shop.job("mill").id)
    shop.refused(begin)
    shop.ok(begin, person="Jo")


def test_a_revoked_or_expired_qualification_is_none() -> None:
    shop = a_shop(a_step("mill", qualification=WELDING))
    a_person(shop, "Jo", valid_until=shop.at + 60 * SECOND)
    shop.ok(load(shop), person="Jo")
    job = shop.job("mill").id

    shop.at += 100 * SECOND
    answer = shop.refused(m.BeginJobOrder(job_order=job), person="Jo")
    assert answer.unmet == ("person_qualified: 'welding' of Jo has expired",)

    a_person(shop, "Jo")
    shop.ok(m.BeginJobOrder(job_order=job), person="Jo")
    shop.make(10, request="WR-2")
    assert shop.job("mill", "WR-2").state is S.ALLOWED_READY
    shop.ok(m.RevokeQualification(person="Jo", qualification="welding", reason="audit"))
    assert shop.job("mill", "WR-2").state is S.ALLOWED_WAITING
    assert shop.by_id(job).state is S.RUNNING_PROCESSING
    assert rebuilds(shop)


def test_a_qualification_expires_by_the_clock_and_what_waits_is_not_ready() -> None:
    shop = a_shop(a_step("mill", qualification=WELDING))
    a_person(shop, "Jo", valid_until=shop.at + 60 * SECOND)
    a_person(shop, "Ana", level=1)
    shop.ok(m.ExpireQualifications())
    assert shop.job("mill").state is S.ALLOWED_READY

    shop.at += 60 * SECOND
    assert shop.ok(m.ExpireQualifications()) == {"expired": "1"}

    assert shop.job("mill").state is S.ALLOWED_WAITING
    assert list(lacks(shop)) == ["person_qualified"]
    assert shop.ok(m.ExpireQualifications()) == {"expired": "0"}
    a_person(shop, "Jo")
    assert shop.job("mill").state is S.ALLOWED_READY
    assert rebuilds(shop)


def test_what_is_granted_must_be_something() -> None:
    shop = Shop()
    shop.ok(m.RegisterPerson(person="Jo", name="Jo"))
    grant = m.GrantQualification(
        person="Jo", qualification=Qualification(name="w", level=0)
    )
    shop.malformed(grant)
    late = Qualification(name="w", level=1, valid_until=shop.at)
    answer = shop.refused(msgspec.structs.replace(grant, qualification=late))
    assert "expired already" in answer.message
    revoke = m.RevokeQualification(person="Jo", qualification="w", reason="audit")
    assert "has no qualification" in shop.refused(revoke).message


@given(
    level=st.integers(1, 5),
    asked=st.integers(1, 5),
    valid_until=st.none() | st.integers(0, 10),
    at=st.none() | st.integers(0, 10),
)
def test_a_need_is_met_by_as_high_a_level_that_is_still_valid(
    level: int, asked: int, valid_until: int | None, at: int | None
) -> None:
    held = Qualification(name="w", level=level, valid_until=valid_until)
    person = Person(id="Jo", name="Jo", qualifications=(held,))

    lack = person.lacks(QualificationNeed(name="w", level=asked), at)

    is_valid = valid_until is None or at is None or at < valid_until
    assert (not lack) is (level >= asked and is_valid)


# Documents


def released(shop: Shop, revision: str = "A") -> None:
    shop.ok(m.ReleaseDocument(document="WI-7", revision=revision, title="Milling"))


def withdrawn(shop: Shop) -> None:
    shop.ok(m.WithdrawDocument(document="WI-7", reason="wrong radius"))


def a_shop_with_a_document() -> Shop:
    shop = a_shop(a_step("mill", documents=("WI-7",)))
    released(shop)
    return shop


def test_a_document_has_to_be_released() -> None:
    shop = a_shop(a_step("mill", documents=("WI-7",)))
    assert lacks(shop) == {"document_released": "WI-7 has not been released"}

    released(shop)
    assert shop.job("mill").state is S.ALLOWED_READY
    withdrawn(shop)

    assert lacks(shop) == {"document_released": "WI-7 A was withdrawn: wrong radius"}
    shop.refused(m.WithdrawDocument(document="WI-7", reason="again"))
    released(shop, "B")
    assert shop.job("mill").state is S.ALLOWED_READY


def test_a_withdrawn_document_takes_a_loaded_job_off_its_machine() -> None:
    shop = a_shop_with_a_document()
    job = shop.load("mill")

    withdrawn(shop)

    assert shop.by_id(job).state is S.ALLOWED_WAITING
    assert shop.by_id(job).run is None
    released(shop, "B")
    shop.run("mill", 10)


def test_a_withdrawn_document_interrupts_what_runs_and_frees_the_machine() -> None:
    shop = a_shop_with_a_document()
    job = shop.begin("mill")
    shop.report("mill", 4)

    withdrawn(shop)

    assert shop.by_id(job).state is S.INTERRUPTED_SUSPENDED
    assert shop.by_id(job).run is None
    answer = shop.refused(m.ResumeJobOrder(job_order=job, work_unit="mill-1"))
    assert answer.unmet == ("document_released: WI-7 A was withdrawn: wrong radius",)
    released(shop, "B")
    shop.ok(m.ResumeJobOrder(job_order=job, work_unit="mill-1"))
    shop.report("mill", 6)
    shop.complete("mill")
    assert shop.stock() == 10
    assert rebuilds(shop)


def test_a_held_job_loses_its_machine_too_and_stays_held() -> None:
    shop = a_shop_with_a_document()
    job = shop.begin("mill")
    shop.ok(m.OpenHold(scope=HoldScope.JOB_ORDER, target=job, reason="crack"))

    withdrawn(shop)

    assert shop.by_id(job).state is S.INTERRUPTED_HELD
    assert shop.by_id(job).run is None
