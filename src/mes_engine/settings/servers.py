"""What a site serves beside its web: checked by the models that the adapters bring."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from mes_engine.ports import AdapterSpec
from mes_engine.settings.checked import checked
from mes_engine.settings.document import Document
from mes_engine.settings.links import spec_at
from mes_engine.settings.plant_file import keys_of
from mes_engine.settings.problems import Problems


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """All that an adapter needs to serve.

    Attributes:
        adapter: Its name.
        settings: An instance of the settings of its server.
    """

    adapter: str
    settings: BaseModel


def read_servers(
    document: Document, adapters: Mapping[str, AdapterSpec], problems: Problems
) -> dict[str, ServerPlan]:
    """Check ``servers``; return what can be served."""
    plans = {}
    for name in keys_of(document, "servers", problems):
        path = ("servers", name)
        spec = spec_at(document, path, adapters, problems)
        if spec is None:
            continue
        if spec.server is None:
            text = f"the adapter '{spec.name}' serves nothing"
            problems.add(document.problem((*path, "adapter"), text))
            continue
        settings = checked(
            document, path, spec.server.settings, problems, without="adapter"
        )
        if settings is not None:
            plans[name] = ServerPlan(adapter=spec.name, settings=settings)
    return plans
