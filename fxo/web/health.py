"""Whether the process is alive, whether it can work, and which hosts are ours; answered on any host."""

from __future__ import annotations

import time

import redis
from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from fxo import platform
from fxo.core.db import db
from fxo.core.errors import NotFound
from fxo.core.integrity import counters
from fxo.web.places import PORTAL, is_name, kind_of

blueprint = Blueprint("health", __name__)


FRESH = 30.0
"""Seconds for which the counters are told again without being counted."""
_counted: dict[str, float] = {}


def _integrity() -> str:
    """How many things there are that must never be: a figure for monitoring, which makes the process no less ready."""
    now = time.monotonic()
    if now - _counted.get("at", -FRESH) >= FRESH:
        _counted.update(at=now, number=float(sum(counters(platform.current().store).values())))
    return "ok" if not _counted["number"] else str(int(_counted["number"]))


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(ok=True)


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """The database answers with every login; Redis is told but not needed, since the sweeper does without."""
    checks = {}
    for name, login in ((None, "app"), ("system", "system"), ("operator", "operator")):
        try:
            with db.engines[name].connect() as connection:
                connection.exec_driver_sql("select 1")
            checks[f"database:{login}"] = "ok"
        except SQLAlchemyError as error:
            checks[f"database:{login}"] = type(error).__name__
    ready = all(state == "ok" for state in checks.values())
    carrier = platform.current().carrier
    if carrier:
        try:
            carrier.connection.ping()
            checks["redis"] = "ok"
        except redis.RedisError as error:
            checks["redis"] = type(error).__name__
    if ready:
        checks["integrity"] = _integrity()
    return jsonify(ok=ready, checks=checks, version=current_app.config.get("VERSION", "")), 200 if ready else 503


@blueprint.get("/hostz")
def hostz() -> ResponseReturnValue:
    """Whether `domain` is a host of ours, 200 or 404: for a proxy that gets certificates as hosts are visited."""
    name = request.args.get("domain", "").lower()
    return (jsonify(ok=True), 200) if is_name(name) and _is_ours(name) else (jsonify(ok=False), 404)


def _is_ours(host: str) -> bool:
    parts = platform.current()
    if kind_of(host, parts.settings.base_domain) != PORTAL:
        return True
    try:
        parts.records.by_host(host)
    except NotFound:
        return False
    return True
