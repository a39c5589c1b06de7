"""What was typed into a form when the sign-in had ended: carried through the sign-in page, and in its place again afterwards.

It is shown again and never sent again by us, so that a form of a foreign site does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from flask import Response, make_response, request, session

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.events.store import Transaction
from fxo.web import identity
from fxo.web.choices import path_from
from fxo.web.places import PORTAL, here

_PREFIX = "kept."
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class _Form:
    fields: Sequence[str]
    page: Callable[..., str]


_forms: dict[str, _Form] = {}


def form(endpoint: str, fields: Sequence[str], page: Callable[..., str]) -> None:
    """What is typed into these fields of the form behind `endpoint` outlives the sign-in; `page(**arguments)` shows the form."""
    _forms[endpoint] = _Form(fields, page)


def rescued() -> Response | None:
    """The sign-in page with what was typed, for a form that nobody is signed in for; None for any other request."""
    known = _forms.get(request.endpoint or "")
    if request.method != "POST" or known is None or here().kind != PORTAL or identity.me() is not None:
        return None
    from fxo.web.auth import sign_in_form  # it needs this module

    return make_response(sign_in_form({}, {}, 401))


def carried() -> dict[str, str]:
    """The hidden fields with which the sign-in page carries what was typed."""
    known = _forms.get(request.endpoint or "")
    if known and request.method == "POST":
        typed = {_PREFIX + name: request.form[name][:_LONGEST] for name in known.fields if name in request.form}
        return typed | {"kept": request.path, "kept_at": known.page(**(request.view_args or {}))} if typed else {}
    return {name: value for name, value in request.form.items() if name.startswith("kept")}


def keep() -> str:
    """Keep what the sign-in page carried, for who has just signed in; returns the page that shows it, or nothing."""
    found, user = carried(), identity.me()
    typed = {name.removeprefix(_PREFIX): value[:_LONGEST] for name, value in found.items() if name.startswith(_PREFIX)}
    page = path_from(found.get("kept_at", ""))
    if not typed or user is None or page == "/":
        return ""
    body = orjson.dumps(typed).decode()

    def write(tx: Transaction) -> None:
        tx.driver.execute(
            "insert into form_submissions (tenant_id, token, actor_id, begun_at, status, body) values (%s, %s, %s, %s, 0, %s)"
            " on conflict (tenant_id, token) do update set body = excluded.body, begun_at = excluded.begun_at",
            (tx.scope.tenant_id, _key(found.get("kept", "")), user.actor.id, system_now(), body),
        )

    platform.current().store.run(identity.scope(), user.actor, write)
    session["draft"] = found.get("kept", "")[:300]
    return page


def found(path: str) -> Mapping[str, Any]:
    """What was kept of the form that is sent to this path, once; empty where nothing was."""
    user = identity.me()
    if session.get("draft") != path or user is None:
        return {}
    del session["draft"]

    def take(tx: Transaction) -> str | None:
        row = tx.driver.execute(
            "delete from form_submissions where tenant_id = %s and token = %s and actor_id = %s returning body",
            (tx.scope.tenant_id, _key(path), user.actor.id),
        ).fetchone()
        return row[0] if row else None

    body = platform.current().store.run(identity.scope(), user.actor, take)
    typed: Mapping[str, Any] = orjson.loads(body) if body else {}
    return typed


def _key(path: str) -> str:
    user = identity.required()
    return sha256(f"draft\x00{user.actor.id}\x00{path}".encode()).hexdigest()
