"""The devices of links that run in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from mes_engine.core.errors import NotFound
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_calls import Given
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.ports import (
    AdapterSpec,
    Calls,
    JobAnswer,
    Link,
    Pulse,
    ReadsTogether,
    RunsJobs,
    SeesPulses,
    TagGroup,
    WriteResult,
    Writes,
)


def open_link(
    spec: AdapterSpec,
    name: str,
    settings: Any,
    tags: Mapping[str, Any],
    groups: Sequence[TagGroup],
    *,
    pulses: Sequence[Pulse] = (),
) -> Link:
    """Make a link that tells its groups as one, and looks for pulses. No I/O."""
    link = spec.open(name, settings, tags)
    if pulses and isinstance(link, SeesPulses):
        link.look_for(pulses)
    if groups and isinstance(link, ReadsTogether):
        link.keep_together(groups)
    return link


class LinkDevices:
    """:class:`~mes_engine.ports.Devices` of links that are supervised here.

    Attributes:
        links: By id; the same objects that the supervisor runs.
    """

    def __init__(self, links: Mapping[str, Link]) -> None:
        self.links = links

    async def write(
        self,
        link: str,
        tag: str,
        value: bool | float | str,  # noqa: FBT001
        *,
        expect: bool | float | str | None = None,
    ) -> WriteResult:
        """Write ``value`` once, and read it back; see `ports.Devices`."""
        found = self._link(link)
        if not isinstance(found, Writes):
            raise NotFound(f"Nothing can be written over link '{link}'.")
        return await found.write(tag, value, expect=expect)

    async def ask_job(self, link: str, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask a machine that runs job orders; see `ports.JobMachines`."""
        found = self._link(link)
        if not isinstance(found, RunsJobs):
            raise NotFound(f"No job orders run over link '{link}'.")
        return await found.ask_job(verb, order)

    async def call_method(
        self, link: str, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        """Call a method of a device; see `ports.MachineMethods`."""
        found = self._link(link)
        if not isinstance(found, Calls):
            raise NotFound(f"Nothing can be called over link '{link}'.")
        return await found.call(method, arguments)

    def _link(self, link: str) -> Link:
        found = self.links.get(link)
        if found is None:
            raise NotFound(
                f"There is no link '{link}'.",
                hint=f"Known: {', '.join(sorted(self.links)) or 'none'}.",
            )
        return found
