"""What an adapter says of itself, and what it can tell of a device."""

from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mes_engine.core.samples import Quality
from mes_engine.ports.engine import Floor
from mes_engine.ports.links import Link, Pulse, TagGroup

ENTRY_POINT_GROUP = "mes_engine.adapters"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One request or subscription that a link's settings come down to.

    Attributes:
        what: What is asked for, in the protocol's own words.
        tags: Which tags it brings.
        period_s: How often.
    """

    what: Mapping[str, str | int]
    tags: tuple[str, ...]
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """What a live device has told of itself, or of one tag.

    Attributes:
        tag: Which tag; None for the device.
        told: In the protocol's own words: what it grants, how long it takes.
        value: What the tag holds now.
        quality: How far that can be trusted.
        problem: Why it is of no use as it is; empty if it is fit.
    """

    tag: str | None
    told: Mapping[str, str | int | float]
    value: bool | int | float | str | None = None
    quality: Quality | None = None
    problem: str = ""


Probe = Callable[
    [str, Any, Mapping[str, Any], Sequence[Pulse]], Awaitable[Sequence[ProbeLine]]
]
"""Look at a live device as a link with this id, settings, tags and pulses would.

Raises as ``Link.run`` does.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A tag, or a link, that is right by itself and does not go with the others.

    Attributes:
        tag: Which tag; None for the link's own settings.
        key: Which key of its ``at``, or of the link.
        text: What is wrong, as the end of a sentence.
    """

    tag: str | None
    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """How an adapter serves others, besides opening links of its own.

    Attributes:
        settings: Checks ``servers.<id>`` of ``site.yaml`` (without its ``adapter``).
        serve: Serve, by id and settings, until cancelled. Raises ``SourceLost`` for
            what may pass, ``SourceMisconfigured`` for what a person has to mend.
    """

    settings: type[BaseModel]
    serve: Callable[[str, Any, Floor], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowsedNode:
    """Something that a device has, ``level`` levels down; ``at`` as a tag has it."""

    level: int
    name: str
    what: str
    at: Mapping[str, str]
    data_type: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """How ``bootstrap`` makes links of an adapter out of ``config/``.

    Attributes:
        name: The word after ``adapter:`` in a link's settings.
        settings: Checks ``links.<id>`` (without its ``adapter`` key).
        tag: Checks ``at`` of each tag that the link brings.
        open: Make the link from its id, its settings and its tags, by tag id. No I/O.
        check: Tell what does not go together, of settings and tags that are each good.
        plan: Tell what the device will be asked for, of settings and tags. No I/O.
        check_groups: Tell which groups cannot be read at one moment. None if the links
            are no ``ReadsTogether``.
        check_pulses: Tell which pulses cannot be seen by these settings and tags. None
            if the device tells what changes, or a link finds out (``SeesPulses``).
        runs_jobs: Tell whether a link with these settings has its machine run job
            orders. None if none does.
        methods: What can be called over a link, by its settings. None if nothing can.
        events: Which messages a link tells, by its settings, each with its fields. None
            if links of this adapter tell none.
        server: What it serves to others, if it does.
        probe: Look at a live device, for whoever puts it into service.
        browse: Look around in a device, from a path on (or the top), levels deep.
    """

    name: str
    settings: type[BaseModel]
    tag: type[BaseModel]
    open: Callable[[str, Any, Mapping[str, Any]], Link]
    check: Callable[[Any, Mapping[str, Any]], Iterable[Unfit]] | None = None
    plan: Callable[[Any, Mapping[str, Any]], Sequence[PlanLine]] | None = None
    check_groups: (
        Callable[[Any, Mapping[str, Any], Sequence[TagGroup]], Iterable[Unfit]] | None
    ) = None
    check_pulses: (
        Callable[[Any, Mapping[str, Any], Sequence[Pulse]], Iterable[Unfit]] | None
    ) = None
    runs_jobs: Callable[[Any], bool] | None = None
    methods: Callable[[Any], Iterable[str]] | None = None
    events: Callable[[Any], Mapping[str, Iterable[str]]] | None = None
    server: ServerSpec | None = None
    probe: Probe | None = None
    browse: Callable[[Any, str, int], Awaitable[Sequence[BrowsedNode]]] | None = None
