"""The YAML beside a log: what its columns mean, and what the shop allows."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mes_engine.core.quantity import ZERO
from mes_engine.core.steps import StepOrder
from mes_engine.settings.checked import checked
from mes_engine.settings.document import Document, read_document
from mes_engine.settings.fields import (
    Code,
    Id,
    Name,
    Section,
    UnitCode,
    Zone,
    wrong,
)
from mes_engine.settings.problems import Problems

_SAMPLE = datetime(2012, 3, 4, 17, 6, 7, tzinfo=UTC)


class ReportType(StrEnum):
    """What the time of a row was spent on."""

    SETUP = "setup"
    PRODUCTION = "production"
    BREAKDOWN = "breakdown"


class SpanFormat(StrEnum):
    """How a row tells its booked time."""

    HOURS_MINUTES = "h:mm"
    HOURS_MINUTES_SECONDS = "h:mm:ss"
    HOURS = "hours"
    MINUTES = "minutes"
    SECONDS = "seconds"


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise wrong(f"there is no text encoding '{name:.80}'") from None
    return name


def _time_format(text: str) -> str:
    try:
        written = _SAMPLE.strftime(text)
        read = datetime.strptime(written, text).replace(tzinfo=UTC)
    except (ValueError, re.error, IndexError, KeyError):
        raise wrong(f"'{text:.80}' cannot be used to read times") from None
    if read != _SAMPLE and read != _SAMPLE.replace(second=0):
        raise wrong(f"'{text:.80}' does not tell day and minute; see strptime")
    return text


class FileSection(Section):
    """``file``: how to open it; by its name, ``.gz`` is gzip."""

    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    compression: Literal["by_name", "none", "gzip"] = "by_name"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","


class TimesSection(Section):
    """``times``: how start and completion are written, and in which zone."""

    format: Annotated[str, AfterValidator(_time_format)]
    zone: Zone


class ColumnsSection(Section):
    """``columns``: the names of the header; the last two may be left out."""

    case: Name
    activity: Name
    resource: Name
    start: Name
    complete: Name
    span: Name
    order_quantity: Name
    part: Name
    person: Name
    report_type: Name
    good: Name
    rejected: Name
    mrb: Name | None = None
    rework: Name | None = None


class LanesSection(Section):
    """How many job orders a machine works on at a time."""

    active: int = Field(default=1, ge=1, le=1_000)


class AllowsSection(Section):
    """``allows``: what this shop does and others would not.

    Attributes:
        over_tolerance: How much more than ordered may be reported over all steps of an
            order, as a share of it: 2 lets an order of 10 have 20 pieces too many.
        lanes: Of every machine; ``lanes_of`` names those that differ.
    """

    step_order: StepOrder = StepOrder.STRICT
    over_tolerance: Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)] = ZERO
    lanes: LanesSection = LanesSection()
    lanes_of: dict[Name, LanesSection] = Field(default_factory=dict)


class SiteSection(Section):
    """``site``: what the plant that is made of the log is called."""

    id: Id
    name: Name
    finished: Code = "FINISHED"
    receiving: Code = "RECEIVING"


class LogFile(Section):
    """The whole file."""

    site: SiteSection
    file: FileSection = FileSection()
    times: TimesSection
    span: SpanFormat
    unit: UnitCode = "C62"
    columns: ColumnsSection
    report_types: dict[Name, ReportType] = Field(min_length=1)
    rework_words: list[Name] = Field(default_factory=list)
    allows: AllowsSection = AllowsSection()

    @model_validator(mode="after")
    def _says_what_rework_is(self) -> Self:
        if self.columns.rework is not None and not self.rework_words:
            text = "say which words of this column mean rework, in rework_words"
            raise wrong(text, at=("columns", "rework"))
        return self


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What the file says, and where it says it."""

    says: LogFile
    document: Document


def read_log_settings(path: Path) -> LogSettings:
    """Read the YAML that goes with a log.

    Raises:
        SettingsError: It cannot be used; one line a problem, as of ``config/``.
    """
    problems = Problems()
    document = read_document(path, problems)
    says = None if document is None else checked(document, (), LogFile, problems)
    problems.raise_any()
    if document is None or says is None:
        raise AssertionError("nothing is missing without a problem")
    return LogSettings(says, document)
