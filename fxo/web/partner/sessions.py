"""All of a partner's sessions, of every portal: what is ahead, what is done, what was cancelled; with a search."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import agenda_queries as agenda
from fxo.core.scope import Permission
from fxo.web import identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.partner import words
from fxo.web.partner.blueprint import blueprint

PER_PAGE = 20


@blueprint.get("/sessions")
@identity.needs(Permission.COMPLETE_SESSIONS)
def sessions() -> ResponseReturnValue:
    """One list, a page of it."""
    user = identity.required()
    tab = request.args.get("tab", "")
    tab = tab if tab in agenda.TABS else "upcoming"
    query = " ".join(request.args.get("q", "").replace("\x00", "").split())[:80]
    number = request.args.get("page", 1, type=int)
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        counts, now = agenda.counts(tx, query), tx.now
        pages = max(1, -(-counts[tab] // PER_PAGE))
        number = min(max(number, 1), pages)
        rows = agenda.page(tx, tab, query, limit=PER_PAGE, offset=(number - 1) * PER_PAGE) if counts[tab] else []
        undoable = agenda.undoable(tx)
    labels = {"upcoming": _("Upcoming"), "done": _("Done"), "cancelled": _("Cancelled")}
    return render_template(
        "partner/sessions.html", **frame(), query=query, tab=tab, zone=shown.zone(now, user.zone),
        tabs=[{"label": labels[key], "url": _url(key, query), "current": key == tab, "count": counts[key]} for key in labels],
        rows=[words.listed(row, user.zone, now) for row in rows], caption=labels[tab],
        anything=bool(query or sum(counts.values())),
        found=ngettext("%(num)s session", "%(num)s sessions", counts[tab]), clear_url=_url(tab, ""),
        pages=_pages(tab, query, number, pages), back=_url(tab, query, number - 1) if number > 1 else None,
        next=_url(tab, query, number + 1) if number < pages else None,
        undos=[one for row in undoable if (one := words.undo(row, now, _url(tab, query, number)))],
    )  # fmt: skip


def _url(tab: str, query: str, page: int = 1) -> str:
    values = {"tab": tab if tab != "upcoming" else "", "q": query, "page": page if page > 1 else ""}
    kept = urlencode({name: value for name, value in values.items() if value})
    return "/sessions" + (f"?{kept}" if kept else "")


def _pages(tab: str, query: str, number: int, pages: int) -> list[dict[str, Any]]:
    """The first, the last, and those around the current one; a gap where some are left out."""
    if pages == 1:
        return []
    shown_ones = sorted({1, pages, *(n for n in (number - 1, number, number + 1) if 1 <= n <= pages)})
    found: list[dict[str, Any]] = []
    for n in shown_ones:
        if found and n - found[-1]["number"] > 1:
            found.append({"label": "…", "number": n - 1})
        found.append({"label": str(n), "number": n, "url": _url(tab, query, n), "current": n == number})
    return found
