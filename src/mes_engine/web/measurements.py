"""Measured data over HTTP: telling it, listing it, and voiding what was mistaken."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement, Connection

from mes_engine.core.characteristics import ValueKind
from mes_engine.core.errors import NotFound
from mes_engine.core.measured_data import Asked
from mes_engine.core.measurements import Measurement
from mes_engine.core.messages import RecordMeasurement, VoidMeasurement
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Decimals, Id, MeasuredText, Reason, Text, View
from mes_engine.http.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    number_of_cursor,
    page_of,
)
from mes_engine.storage.journal import head, one
from mes_engine.storage.measurements import (
    Told,
    measurement_before,
    measurements,
    voids_of,
)
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import is_one, one_by_key, table_of
from mes_engine.web.parts import Parts
from mes_engine.web.serials import lot_of

Seq = Annotated[int, Path(ge=1, lt=10**18, examples=[4711])]


class VoidView(View):
    """That a measurement does not count, and why."""

    seq: int
    reason: str
    at: At
    person: str


class MeasurementView(View):
    """A measured value; ``seq`` names it.

    Attributes:
        lot: What it is of; null for all that the job order works on.
        is_within: Whether it was within the limits, as they were then.
        voided_by: Why it does not count, if it does not.
    """

    seq: int
    job_order: str
    work_request: str
    visit: str
    step: str
    lot: str | None
    run: str | None
    work_unit: str | None
    characteristic: str
    kind: ValueKind
    value: str
    unit: str
    is_within: bool
    gauge: str | None
    tag: str | None
    at: At
    person: str
    remark: str
    voided_by: VoidView | None

    @classmethod
    def of(cls, told: Told) -> "MeasurementView":
        """Show a measurement."""
        measured = told.measurement
        return cls(
            seq=measured.seq,
            job_order=measured.job_order,
            work_request=measured.request,
            visit=measured.visit,
            step=measured.step,
            lot=measured.lot or None,
            run=measured.run,
            work_unit=measured.work_unit or None,
            characteristic=measured.characteristic,
            kind=measured.kind,
            value=measured.value,
            unit=measured.unit,
            is_within=measured.is_within,
            gauge=measured.gauge,
            tag=measured.tag or None,
            at=measured.at,
            person=measured.person,
            remark=measured.remark,
            voided_by=None if told.void is None else VoidView.model_validate(told.void),
        )


class AskedView(View):
    """A characteristic of a job order's step, and how it stands.

    Attributes:
        value: The latest that counts; null if it is not measured.
        measurement: Which one that is, to be voided if it was mistaken.
        is_missing: Whether it is required, and not measured of all that it has to be.
        missing_of: The lots that it is not measured of; none if it is missing of all.
    """

    name: str
    kind: ValueKind
    unit: str
    lower: Decimals | None
    upper: Decimals | None
    is_required: bool
    value: str | None
    measurement: int | None
    is_within: bool | None
    measured_at: At | None
    is_missing: bool
    missing_of: list[str]

    @classmethod
    def of(cls, asked: Asked) -> "AskedView":
        """Show how a characteristic stands."""
        declared, latest = asked.characteristic, asked.latest
        return cls(
            name=declared.name,
            kind=declared.kind,
            unit=declared.unit,
            lower=declared.lower,
            upper=declared.upper,
            is_required=declared.is_required,
            value=None if latest is None else latest.value,
            measurement=None if latest is None else latest.measurement,
            is_within=None if latest is None else latest.is_within,
            measured_at=None if latest is None else latest.at,
            is_missing=bool(asked.lacking),
            missing_of=[lot for lot in asked.lacking if lot],
        )


class MeasurementBody(Occurred):
    """What was measured.

    Attributes:
        unit: As declared if not said.
        lot: What it is of; the only one there, or else all, if not said.
        gauge: The physical asset that it was measured with.
    """

    characteristic: Id
    value: MeasuredText
    unit: Id | None = None
    lot: Id | None = None
    gauge: Id | None = None
    remark: Text = ""


class VoidBody(Occurred):
    """Why it does not count."""

    reason: Reason


def measurements_router(parts: Parts) -> APIRouter:
    """Return the routes of measured data."""
    router = api_router(tags=["measurements"])
    post, sent = posts(router), partial(carried_out, parts)
    columns = table_of("measurement").c

    async def listed(
        *where: ColumnElement[bool], cursor: str | None, limit: int
    ) -> Page[MeasurementView]:
        after = columns.seq > number_of_cursor(cursor)
        partition = parts.state.partition
        told = await parts.database.read(
            lambda connection: measurements(
                connection, partition, after, *where, limit=limit + 1
            )
        )
        shown = ((one.measurement.seq, MeasurementView.of(one)) for one in told)
        return page_of(shown, limit)

    @router.get("/job-orders/{job_order}/measurements")
    async def list_measurements_of_job_order(
        job_order: Id,
        characteristic: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[MeasurementView]:
        """List what was measured at a job order, the oldest first."""
        await one_by_key(
            parts.database,
            "job_order",
            job_order,
            partition=parts.state.partition,
            what="job order",
        )
        return await listed(
            columns.job_order == job_order,
            *is_one(columns.characteristic, characteristic),
            cursor=cursor,
            limit=limit,
        )

    @router.get("/lots/{lot}/measurements")
    async def list_measurements_of_lot(
        lot: Id, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Page[MeasurementView]:
        """List what was measured of a lot by itself; its genealogy tells the rest."""
        known = await lot_of(parts, lot)
        return await listed(columns.lot == known.id, cursor=cursor, limit=limit)

    @post("/job-orders/{job_order}/measurements")
    async def record_measurement(
        job_order: Annotated[Id, Path(examples=["JO-000042"])],
        body: MeasurementBody,
        sender: CommandSender,
    ) -> Response:
        """Keep what was measured; out of its limits it is marked, and not refused."""
        command = RecordMeasurement(
            job_order=job_order,
            characteristic=body.characteristic,
            value=body.value,
            unit=body.unit,
            lot=body.lot,
            gauge=body.gauge,
            remark=body.remark,
        )
        return await sent(sender, command, body)

    @post("/measurements/{measurement}/void")
    async def void_measurement(
        measurement: Seq, body: VoidBody, sender: CommandSender
    ) -> Response:
        """Let a measurement count no more; the one before it counts in its place."""
        partition = parts.state.partition
        command = await parts.database.read(
            lambda connection: _voiding(connection, partition, measurement, body.reason)
        )
        return await sent(sender, command, body)

    return router


def _voiding(
    connection: Connection, partition: str, seq: int, reason: str
) -> VoidMeasurement:
    """Return the command that voids a measurement, with what counted before it.

    Raises:
        NotFound: Nothing of that number was measured.
    """
    measurement: Measurement | None = one(connection, "measurement", partition, seq)
    if measurement is None:
        raise NotFound(
            f"Fact {seq} is no measurement.",
            hint="A job order's measurements are listed with it.",
        )
    return VoidMeasurement(
        measurement=measurement,
        reason=reason,
        voided=voids_of(connection, partition, [seq]).get(seq),
        before=measurement_before(connection, partition, measurement),
        known_seq=head(connection, partition),
    )
