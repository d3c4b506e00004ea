"""Traces for whoever collects them (OpenTelemetry), where the environment asks for it.

The variables are OpenTelemetry's own, and its libraries an extra: a plant without a
collector has neither. ``spans.py`` alone imports them.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Protocol

from fastapi import FastAPI

from mes_engine.core.errors import SettingsError
from mes_engine.runtime.engine import Note
from mes_engine.web.parts import EngineFace

ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Telemetry(Protocol):
    """Who makes spans of what an engine does."""

    def noting(self, note: Note) -> Note:
        """Return ``note``, made to tell of each commit as well."""
        ...

    def commanded(self, engine: EngineFace) -> EngineFace:
        """Return the engine as it is to take commands."""
        ...

    def requested(self, app: FastAPI) -> FastAPI:
        """Return the app as it is to answer."""
        ...


class Silent:
    """Nobody asked for traces."""

    def noting(self, note: Note) -> Note:
        """Return ``note`` as it is."""
        return note

    def commanded(self, engine: EngineFace) -> EngineFace:
        """Return the engine as it is."""
        return engine

    def requested(self, app: FastAPI) -> FastAPI:
        """Return the app as it is."""
        return app


def telemetry(
    version: str, environment: Mapping[str, str] = os.environ
) -> AbstractContextManager[Telemetry]:
    """Return who traces until the site ends.

    Args:
        version: Of the software.
        environment: Where OpenTelemetry's variables are.

    Raises:
        SettingsError: It is asked for, and its libraries are not installed.
    """
    asked = next((name for name in ASKED_BY if environment.get(name)), None)
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if asked is None or is_off:
        return nullcontext(Silent())
    try:
        spans = import_module("mes_engine.bootstrap.spans")
    except ImportError as error:
        raise SettingsError(
            f"{asked} asks for traces, and {error.name} is not installed.",
            hint="Install the extra: pip install 'mes-engine[opentelemetry]'; or unset "
            "the variable.",
        ) from error
    found: AbstractContextManager[Telemetry] = spans.exporting(version)
    return found
