"""The blueprint that the modules of the operator's pages hang them on, the frame of such a page, and the record of each use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, render_template, request

from fxo import platform
from fxo.core.events.store import Transaction
from fxo.core.scope import Scope
from fxo.tenants import operations
from fxo.web import identity
from fxo.web.frame import frame
from fxo.web.language import _

blueprint = Blueprint("operator", __name__)


def page(template: str, *, alarms: int = 0, **values: Any) -> str:
    """A page of the operator, with the menu at its side; `alarms` are the open ones."""
    return render_template(template, **(frame() | {"nav": []}), rail=_rail(alarms), **values)


def _rail(alarms: int) -> list[dict[str, Any]]:
    groups = [
        (
            "",
            [
                (_("Overview"), "/", "list", 0),
                (_("Alarms"), "/alarms", "bell", alarms),
                (_("Cases"), "/cases", "message-square", 0),
            ],
        ),
        (
            _("Money"),
            [
                (_("Payments"), "/payments", "credit-card", 0),
                (_("Payouts"), "/payouts", "landmark", 0),
                (_("Ledger"), "/ledger", "scroll-text", 0),
            ],
        ),
        (_("Network"), [(_("Tenants"), "/tenants", "briefcase-business", 0), (_("Partners"), "/partners", "users", 0)]),
        (_("Records"), [(_("Integrity"), "/integrity", "shield-check", 0), (_("Providers"), "/providers", "plug", 0)]),
    ]
    return [
        {"title": title, "entries": [
            {"label": label, "url": url, "icon": icon, "count": count or None,
             "current": request.path == url or (url != "/" and request.path.startswith(url + "/"))}
            for label, url, icon, count in entries
        ]}
        for title, entries in groups
    ]  # fmt: skip


@contextmanager
def used(what: str) -> Iterator[Transaction]:
    """A transaction of this operator that first writes down what it is for, so that nothing is read unseen."""
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        operations.record_use(tx, what)
        yield tx


def act(what: str, scope: Scope, command: Any, *args: Any, **kwargs: Any) -> Any:
    """Run a command as this operator outside their own scope; that it was tried is written down before."""
    with used(what):
        pass
    return platform.current().store.run(scope, identity.required().actor, command, *args, **kwargs)
