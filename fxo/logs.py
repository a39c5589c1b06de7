"""JSON logs: one line an entry, with request id and tenant, and never a person's data."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, g, has_request_context, request

from fxo.core.events.store import causation, request_id
from fxo.settings import Settings

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
log = logging.getLogger("fxo.web")


class JsonFormatter(logging.Formatter):
    """An entry as one JSON object. Of an exception its kind and places are kept, not its text, which may quote a person."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            entry["request"] = request_id.get()
        if causation.get():
            entry["work"] = causation.get()
        if has_request_context() and (place := g.get("place")) and place.config:
            entry["tenant"] = place.config.slug
        entry |= {key: value for key, value in record.__dict__.items() if key not in _PLAIN}
        if record.exc_info and record.exc_info[0]:
            entry["error"] = record.exc_info[0].__name__
            entry["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(record.exc_info[2])
            ][-12:]
        return orjson.dumps(entry, default=str).decode()


def configure(settings: Settings) -> None:
    """Send our logs to standard error as JSON; repeated calls change only the level."""
    root = logging.getLogger("fxo")
    root.setLevel(settings.log_level)
    if not any(isinstance(handler.formatter, JsonFormatter) for handler in root.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        root.addHandler(handler)


def init_app(app: Flask) -> None:
    """Log every request with its status and time; static files only when they fail."""

    @app.after_request
    def _log(response):  # type: ignore[no-untyped-def]
        if not (request.endpoint or "").startswith("static") or response.status_code >= 400:
            took = (datetime.now(UTC) - g.begun).total_seconds() * 1000 if "begun" in g else 0
            log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "host": request.host,
                    "status": response.status_code,
                    "ms": round(took, 1),
                },
            )
        return response
