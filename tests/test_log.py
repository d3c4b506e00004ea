import io
import json
import logging

import pytest
import structlog

from mes_engine.log import configure_logging

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def test_an_event_is_a_json_line() -> None:
    stream = io.StringIO()
    configure_logging(to=stream)

    with structlog.contextvars.bound_contextvars(message="m-1"):
        structlog.get_logger().info("job_order_advanced", job_order="J-1")

    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "job_order_advanced",
        "level": "info",
        "message": "m-1",
        "job_order": "J-1",
    }


def test_standard_output_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()

    structlog.get_logger().warning("link_lost")

    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["event"] == "link_lost"


def test_less_than_the_level_is_not_said() -> None:
    stream = io.StringIO()
    configure_logging(level="WARNING", to=stream)

    structlog.get_logger().info("link_connected")

    assert stream.getvalue() == ""


def test_a_librarys_warning_is_a_json_line_with_its_traceback() -> None:
    stream = io.StringIO()
    configure_logging(to=stream)
    library = logging.getLogger("some.library")

    library.info("chatter")
    password = "s3cret"
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        library.exception("it broke in %s", "press-1")
    assert password not in stream.getvalue()

    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"]) == ("it broke in press-1", "some.library")
    assert line["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_person_reads_text() -> None:
    stream = io.StringIO()
    configure_logging(human=True, to=stream)

    structlog.get_logger().info("engine_started", partition="main")

    assert "engine_started" in stream.getvalue()
    assert "partition=main" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_second_call_changes_loggers_already_in_use() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging(to=first)
    log = structlog.get_logger()
    log.info("one")
    configure_logging(to=second)
    log.info("two")

    assert "two" not in first.getvalue()
    assert json.loads(second.getvalue())["event"] == "two"
