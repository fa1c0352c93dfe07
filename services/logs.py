"""How processes write their log: structlog on standard error, one line for each thing that happened; text for people, JSON for machines.

What senders sent is never logged, nor what opens the books: lines name topics, partitions, offsets, counts and codes. A traceback shows where it came
from without what variables held; passwords of connection strings, values that PostgreSQL names in its errors, and card numbers are blotted out.
"""

import io
import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from schemas.card_numbers import mask_card_numbers

KAFKA_CLIENT = "librdkafka"
"""Name of the logger that Kafka's client writes to (services/kafka/clients.py)."""
HIDDEN = "***"

# An address with a password, `password=` of a libpq string or of a URI, and the lines in which PostgreSQL quotes values of rows and parameters.
_SECRETS = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@\"'<>]*):[^\s\"'<>]*@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    (re.compile(r"(password[\"']?\s*[=:]\s*)('(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s\"'&,;)]+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"^(\s*(?:DETAIL|CONTEXT):\s+).*$", re.MULTILINE), rf"\1{HIDDEN}"),
)


def scrubbed(text: str) -> str:
    """The text without passwords, without values that PostgreSQL quotes, and of card numbers with the last four digits only."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return mask_card_numbers(text)


def configure(log_format: str, level: str) -> None:
    """Sets up the log of this process, the lines of libraries included (these from WARNING on; those of Kafka's client are all debugging)."""
    shared: list[Processor] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, structlog.processors.TimeStamper("iso", utc=True)]
    ends = _json() if log_format == "json" else _text()
    structlog.configure(
        processors=[*shared, *ends],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is when a line is written: it may have been exchanged meanwhile
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends], foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(KAFKA_CLIENT).setLevel(level)


def _json() -> list[Processor]:
    tracebacks = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    return [tracebacks, _scrub_values, structlog.processors.JSONRenderer()]


def _text() -> list[Processor]:
    return [_scrub_values, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_traceback)]


def _traceback(into: TextIO, error: ExcInfo) -> None:
    """The plain traceback: no variables."""
    whole = io.StringIO()
    structlog.dev.plain_traceback(whole, error)
    into.write(scrubbed(whole.getvalue()))


def _scrub_values(_logger: WrappedLogger, _name: str, line: EventDict) -> EventDict:
    return {key: value if key == "exc_info" else _clean(value) for key, value in line.items()}


def _clean(value: object) -> object:
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    if isinstance(value, bool | int | float | None):
        return value
    return scrubbed(value if isinstance(value, str) else str(value))
