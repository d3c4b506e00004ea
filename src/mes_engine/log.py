"""Set up structured logging, once, from the door.

House rules for log calls, everywhere:

* the event is a past-tense identifier (``job_order_advanced``), never a sentence;
* everything variable is a key, named as in the core (``job_order``, ``work_unit``);
* what holds for a whole message is bound once with ``bound_contextvars``;
* an outage is one ``warning`` when it begins and one ``info`` when it ends;
* ``core`` does not log: it returns, and the shell logs what it returned.

Standard output belongs to what a command prints; the log goes to standard error.
"""

import logging
import sys
from typing import TextIO

import structlog

_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(
    show_locals=False  # a local may be a password
)


def configure_logging(
    *, level: str = "INFO", human: bool = False, to: TextIO | None = None
) -> None:
    """Send log events, ours and the libraries', as JSON lines or, for people, as text.

    Args:
        level: Of our own events. Libraries are heard from ``WARNING`` up.
        human: Whether a person reads along; colours where ``to`` is a terminal.
        to: Standard error if not given.
    """
    stream = sys.stderr if to is None else to
    threshold = logging.getLevelNamesMapping()[level]
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    render: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
        if human
        else [
            structlog.processors.ExceptionRenderer(_TRACEBACKS),
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    structlog.configure(
        processors=[*before, *render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,  # a second call changes every logger
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *render,
            ],
        )
    )
    logging.basicConfig(
        handlers=[handler], level=max(threshold, logging.WARNING), force=True
    )
