"""Which tests are torture: they kill, cut and wait, and have a run of their own."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.databases import on_postgresql

TESTS = Path(__file__).parent
TORTURE = tuple(
    TESTS / place
    for place in (
        "adapters/modbus/test_conformance.py",
        "adapters/modbus/test_connections.py",
        "adapters/modbus/test_late_answers.py",
        "adapters/modbus/test_line_faults.py",
        "adapters/modbus/test_units.py",
        "adapters/modbus/test_values_of_others.py",
        "adapters/opcua/test_conformance.py",
        "adapters/opcua/test_events.py",
        "adapters/opcua/test_same_events.py",
        "adapters/opcua/test_scenarios.py",
        "adapters/opcua/test_serving.py",
        "adapters/opcua/test_sessions.py",
        "adapters/opcua/test_unfiltered_events.py",
        "adapters/sparkplug/test_conformance.py",
        "adapters/test_links_on_the_plant.py",
        "bootstrap/test_backing_up_servers.py",
        "bootstrap/test_lost_database.py",
        "bootstrap/test_servers_point_in_time.py",
        "cli/test_demo_command.py",
        "cli/test_demo_ends.py",
        "cli/test_verify_command.py",
        "conformance/test_bad_links.py",
        "crash",
        "demo/test_port_taken.py",
        "faults",
        "scenarios/test_job_control_server.py",
        "scenarios/test_machine_calls_over_opcua.py",
        "scenarios/test_machine_events_over_opcua.py",
        "scenarios/test_machine_jobs_over_opcua.py",
        "scenarios/test_on_postgresql.py",
        "web/test_accessibility.py",
    )
)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Run a test on a file of SQLite, and again on PostgreSQL; say which it is."""
    dialect: str = request.param
    if dialect == "postgresql":
        on_postgresql(tmp_path)
    return dialect


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them before the marks choose what is run."""
    for item in items:
        if any(item.path.is_relative_to(place) for place in TORTURE):
            item.add_marker(pytest.mark.torture)


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Undo what a test has set up to log, or that a command has that it ran here."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
