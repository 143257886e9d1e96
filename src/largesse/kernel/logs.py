"""Structured logs: one line an event, as text for people or JSON for machines. Secrets never reach a logger."""

import logging
import sys

import structlog

from largesse.kernel.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Sends the standard library's loggers, ours included, through structlog to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_colors,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    final: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # One line a request costs more than the request; it is there for those who ask for it.
    logging.getLogger("largesse.access").setLevel(logging.INFO if settings.log_level == "debug" else logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _without_colors(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drops uvicorn's second, coloured form of its messages."""
    event.pop("color_message", None)
    return event
