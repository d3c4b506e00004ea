"""Build test objects: name what the test is about, default the rest."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count

from mes_engine.core.booked import bookings_of
from mes_engine.core.carriers import CarrierType
from mes_engine.core.characteristics import Characteristic
from mes_engine.core.decide import decide
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import Fact, MeasurementRecorded, Recorded, SourceAdvanced
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.machine_jobs import JobMachine, JobVerb
from mes_engine.core.messages import (
    Answer,
    ApplyPlant,
    AssertTrigger,
    BeginJobOrder,
    CallMachine,
    ClosePeriod,
    CloseWorkRequest,
    Command,
    Commanded,
    ConsumeMaterial,
    CreateWorkRequest,
    LoadJobOrder,
    Message,
    OpenHold,
    Outcome,
    PackCarrier,
    ReceiveMaterial,
    RecordMachineJob,
    RecordMeasurement,
    RecordPosting,
    RegisterAsset,
    RegisterCarrier,
    RegisterPerson,
    ReleaseDocument,
    ReleaseHold,
    ReleaseRouting,
    ReleaseWorkRequest,
    ReportQuantity,
    ReverseBooking,
    Scrapped,
    Sensed,
    SignOnPerson,
    VoidMeasurement,
)
from mes_engine.core.plant import (
    EquipmentClass,
    Plant,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.postings import PostingState
from mes_engine.core.routing import Routing
from mes_engine.core.runs import HoldScope
from mes_engine.core.samples import (
    EventSample,
    LinkReport,
    LinkState,
    Quality,
    Report,
    Sample,
)
from mes_engine.core.state import State
from mes_engine.core.steps import Component, Connection, ConnectionKind, Step
from mes_engine.core.time_windows import WindowRule
from mes_engine.core.wip_limits import WipLimit
from tests.asking import a_request_for, asking

SHIFT_START = 1_767_592_800_000_000  # 2026-01-05 06:00 UTC
SECOND = 1_000_000
LINK = "cell"


def a_plant() -> Plant:
    """A saw and a mill; the mill counts its pieces and says its state."""
    return Plant(
        site="TEST",
        name="Test plant",
        zone="Europe/Berlin",
        finished_location="STORE",
        receiving_location="DOCK",
        areas=("machining",),
        carrier_types=(CarrierType(id="pallet", name="Pallet"),),
        wip_limits={"machining": WipLimit(work_requests=100)},
        classes=(
            EquipmentClass(id="sawing", name="Sawing"),
            EquipmentClass(id="milling", name="Milling"),
        ),
        work_centers=(
            WorkCenter(id="SAWS", area="machining", name="Saws"),
            WorkCenter(id="MILLS", area="machining", name="Mills"),
        ),
        work_units=(
            WorkUnit(id="saw-1", work_center="SAWS", name="Saw", classes=("sawing",)),
            WorkUnit(
                id="mill-1",
                work_center="MILLS",
                name="Mill",
                classes=("milling",),
                jobs=JobMachine(link=LINK, counts=False),
            ),
        ),
        signals=(
            Signal(
                tag="mill-1.good",
                work_unit="mill-1",
                link=LINK,
                means=SignalMeaning.GOOD_COUNT,
            ),
            Signal(
                tag="mill-1.state",
                work_unit="mill-1",
                link=LINK,
                means=SignalMeaning.STATE,
            ),
        ),
    )


def a_routing(revision: str = "1", *, tools: tuple[str, ...] = ()) -> Routing:
    """A bracket: sawn from a bar, then milled with these tools."""
    return Routing(
        id="bracket",
        revision=revision,
        material="BRACKET",
        unit="C62",
        steps=(
            Step(
                id="10",
                name="Saw",
                work_center="SAWS",
                equipment_class="sawing",
                consumes=(
                    Component(material="BAR", per_piece=Decimal("0.25"), unit="MTR"),
                ),
            ),
            Step(
                id="20",
                name="Mill",
                work_center="MILLS",
                equipment_class="milling",
                characteristics=(Characteristic(name="width", unit="MMT"),),
                tools=tools,
            ),
        ),
        connections=(
            Connection(
                kind=ConnectionKind.QUANTITY,
                source="10",
                target="20",
                transfer_batch=Decimal(5),
            ),
        ),
        time_windows=(WindowRule(source="10", target="20", max_s=Decimal(86_400)),),
    )


class Shop:
    """A state that messages are decided upon, one after the other.

    Attributes:
        batch: The layer on the committed state; ``records`` are the facts in it.
    """

    def __init__(self, committed: State | None = None) -> None:
        self.committed = State() if committed is None else committed
        self.batch = self.committed.layer()
        self.records: list[Recorded] = []
        self._numbers = count(self.committed.seq + 1)

    def do(self, command: Command, *, key: str | None = None) -> Answer:
        """Decide one command of a person, which has to be accepted."""
        number = next(self._numbers)
        commanded = Commanded(
            origin="terminal",
            key=f"key-{number}" if key is None else key,
            digest=f"digest-{number}",
            person="anna",
            at=SHIFT_START + number * SECOND,
            command=command,
        )
        answer = self.hear(commanded)
        assert answer is not None
        assert answer.outcome is Outcome.ACCEPTED, answer
        return answer

    def sense(self, report: Report) -> None:
        """Decide what the link heard, and note that it has been heard."""
        mark = self.batch.watermark.get(LINK)
        n = 1 if mark is None else mark.n + 1
        self.hear(Sensed(source=LINK, epoch=1, n=n, report=report))
        self.note(SourceAdvanced(source=LINK, epoch=1, n=n))

    def sense_value(self, tag: str, value: int) -> None:
        """Decide that a tag has this value now."""
        at = SHIFT_START + self.batch.seq * SECOND
        self.sense(
            Sample(
                tag=tag,
                value=value,
                quality=Quality.GOOD,
                source_at=at,
                received_at=at,
            )
        )

    def note(self, fact: Fact) -> None:
        """Let a fact have happened, without asking anyone."""
        recorded = Recorded(
            partition=self.batch.partition,
            seq=self.batch.seq + 1,
            occurred_at=SHIFT_START,
            recorded_at=SHIFT_START,
            cause="test",
            person="",
            fact=fact,
        )
        evolve(self.batch, recorded)
        self.records.append(recorded)

    def hear(self, message: Message) -> Answer | None:
        """Decide one message upon those before it."""
        layer = self.batch.layer()
        decision = decide(layer, message, now=SHIFT_START + layer.seq * SECOND)
        layer.merge()
        self.records.extend(decision.facts)
        return decision.answer

    def take(self) -> tuple[Sequence[Recorded], State]:
        """Return the batch, and begin another upon it as if it were committed."""
        batch, records = self.batch, self.records
        batch.merge()
        self.batch, self.records = self.committed.layer(), []
        return records, batch


def a_site(shop: Shop) -> None:
    """Apply the plant, release the routing, and receive two bars."""
    shop.do(ApplyPlant(plant=a_plant()))
    shop.do(ReleaseRouting(routing=a_routing(tools=("END-MILL",))))
    shop.do(
        RegisterAsset(asset="T-1", asset_class="END-MILL", name="Mill", crib="CRIB")
    )
    for metres in (Decimal("6.5"), Decimal(6)):
        shop.do(
            ReceiveMaterial(
                material="BAR", unit="MTR", quantity=metres, supplier="Steel Inc"
            )
        )


def a_request(shop: Shop, request: str, quantity: int = 10) -> str:
    """Create and release a work request; return its first job order."""
    shop.do(
        CreateWorkRequest(
            work_request=request,
            routing="bracket",
            quantity=Decimal(quantity),
            due_at=SHIFT_START + 3600 * SECOND,
        )
    )
    shop.do(ReleaseWorkRequest(work_request=request))
    (job,) = shop.batch.job_order.find("request", request)
    return job.id


def a_sawn_request(shop: Shop, request: str, quantity: int = 10) -> str:
    """Saw every piece but one, which is scrap; return the mill's job order."""
    saw = a_request(shop, request, quantity)
    shop.do(LoadJobOrder(job_order=saw, work_unit="saw-1"))
    shop.do(BeginJobOrder(job_order=saw))
    shop.do(ConsumeMaterial(job_order=saw, lot="L-000001", quantity=Decimal(1)))
    scrap = (Scrapped(quantity=Decimal(1), reason="crooked"),)
    shop.do(ReportQuantity(job_order=saw, good=Decimal(quantity - 1), scrap=scrap))
    shop.do(AssertTrigger(job_order=saw, trigger=JobOrderTrigger.COMPLETE))
    jobs = shop.batch.job_order.find("request", request)
    return next(job.id for job in jobs if job.step == "20")


def a_day(shop: Shop) -> None:
    """Something of everything: requests, a machine, holds, a posting."""
    a_site(shop)
    mill = a_sawn_request(shop, "WR-1")
    at = SHIFT_START + shop.batch.seq * SECOND
    shop.sense(LinkReport(state=LinkState.CONNECTED, at=at))
    shop.sense_value("mill-1.state", 6)
    shop.sense_value("mill-1.good", 100)
    shop.sense_value("mill-1.good", 103)
    shop.do(LoadJobOrder(job_order=mill, work_unit="mill-1"))
    shop.do(BeginJobOrder(job_order=mill))
    shop.do(SignOnPerson(work_unit="mill-1", person="Jo"))
    shop.sense_value("mill-1.good", 105)
    shop.do(ReportQuantity(job_order=mill, good=Decimal(1)))
    stored = RecordMachineJob(job_order=mill, link=LINK, verb=JobVerb.STORE, status=1)
    shop.do(stored)
    take_back(shop, mill)
    measure(shop, mill)
    waiting = a_request(shop, "WR-2")
    hold = shop.do(
        OpenHold(scope=HoldScope.JOB_ORDER, target=waiting, reason="drawing")
    )
    shop.do(ReleaseHold(hold=hold.result["hold"]))
    shop.do(OpenHold(scope=HoldScope.JOB_ORDER, target=waiting, reason="bars"))
    shop.do(RegisterCarrier(carrier="P-1", carrier_type="pallet"))
    shop.do(PackCarrier(carrier="P-1", contents=("L-000002",)))
    shop.do(RegisterPerson(person="Jo", name="Jo"))
    shop.do(ReleaseDocument(document="WI-7", revision="A", title="Milling"))
    shop.do(ClosePeriod(last_day="2020-12-31", reason="the year is over"))
    shop.do(ApplyPlant(plant=asking(a_plant())))
    at = SHIFT_START + shop.batch.seq * SECOND
    shop.sense(a_request_for(1_000_000, key=1, at=at))
    shop.sense(EventSample(kind="Made", key="part-1", received_at=at))
    shop.do(CallMachine(link=LINK, method="home", reason="after a jam"))
    shop.sense_value("mill-1.jam", 0)
    shop.sense_value("mill-1.jam", 1)
    ahead = at + 1_000 * SECOND
    sample = Sample(
        tag="mill-1.jam",
        value=1,
        quality=Quality.GOOD,
        source_at=ahead,
        received_at=at,
    )
    shop.sense(sample)


def take_back(shop: Shop, job_order: str) -> None:
    """Reverse the last report on a job order."""
    job = shop.batch.job_order.get(job_order)
    assert job is not None
    last = next(one for one in shop.records if one.seq == job.last_report)
    message = [one for one in shop.records if one.cause == last.cause]
    booking = next(
        one for one in bookings_of(message, job_order) if one.seq == last.seq
    )
    shop.do(
        ReverseBooking(work_request=job.request, booking=booking, reason="miscounted")
    )


def measure(shop: Shop, job_order: str) -> None:
    """Measure twice, and void the last of it."""
    for value in ("40.1", "4.01"):
        shop.do(
            RecordMeasurement(job_order=job_order, characteristic="width", value=value)
        )
    before, last = (
        one.fact.measurement
        for one in shop.records
        if isinstance(one.fact, MeasurementRecorded)
    )
    shop.do(
        VoidMeasurement(
            measurement=last, before=before, known_seq=shop.batch.seq, reason="typed"
        )
    )


def settle_postings(shop: Shop) -> None:
    """Let the ledger acknowledge every posting that waits."""
    for posting in list(shop.batch.posting.values()):
        shop.do(
            RecordPosting(
                posting=posting.key,
                state=PostingState.ACKNOWLEDGED,
                reference=f"LEDGER-{posting.key}",
            )
        )


def finish_request(shop: Shop, request: str, mill: str) -> None:
    """Mill what was sawn, have the ledger acknowledge it, and close the request."""
    shop.do(LoadJobOrder(job_order=mill, work_unit="mill-1"))
    shop.do(BeginJobOrder(job_order=mill))
    job = shop.batch.job_order.get(mill)
    assert job is not None
    there = shop.batch.position.find("place", job.visit)
    good = sum((one.on_floor for one in there), Decimal(0))
    shop.do(ReportQuantity(job_order=mill, good=good))
    shop.do(AssertTrigger(job_order=mill, trigger=JobOrderTrigger.COMPLETE))
    settle_postings(shop)
    shop.do(CloseWorkRequest(work_request=request))
