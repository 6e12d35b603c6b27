"""Log of a node: one line of JSON an event, or text for people; on stderr.

Events are short and constant ("batch committed"), facts are fields; bytes are written as hex text.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tallystick.protocol.hexes import to_hex

Log = structlog.stdlib.BoundLogger


def configure(level: str = "info", form: str = "json") -> None:
    """Send what this process logs, libraries included, to stderr.

    Args:
        level: debug, info, warning or error; libraries speak from warning on.
        form: json or console.
    """
    threshold = getattr(logging, level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hex_text,
    ]
    last: Processor = structlog.processors.JSONRenderer()
    if form == "console":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    else:
        shared.append(structlog.processors.format_exc_info)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger("tallystick").setLevel(threshold)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def get_log(name: str, **facts: Any) -> Log:
    """Return the log of a part of the node; the facts go with each of its events."""
    log: Log = structlog.get_logger(f"tallystick.node.{name}", **facts)
    return log


def _hex_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {
        key: to_hex(value) if isinstance(value, bytes) else value for key, value in event.items()
    }
