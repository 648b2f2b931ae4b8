"""Logs: JSON lines, or coloured text at a terminal; ids only, never names, addresses or texts."""

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, Processor

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def where_it_failed(error: BaseException) -> str:
    """The traceback of an error and of those before it, but of each only its kind: what it says may quote the data."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    inner = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    parts = [where_it_failed(each) for each in (before, *inner) if each is not None]
    frames = "".join(traceback.format_tb(error.__traceback__))
    return "\n".join([*parts, f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}"])


def _without_words(_logger: object, _method: str, line: EventDict) -> EventDict:
    found = line.pop("exc_info", None)
    error = sys.exception() if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        line["exception"] = where_it_failed(error)
    return line


def configure(service: str, level: str) -> None:
    """Send structlog's and the libraries' lines to standard error, each with the service's name."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_words,
    ]
    terminal = sys.stderr.isatty()
    renderer: Processor = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in ("aiokafka", "uvicorn.access", "httpx", "httpcore", "pypdf"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
