"""All of a client's sessions: what needs them, what is ahead, what is past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.events.store import Transaction
from fxo.core.partners import queries as partners
from fxo.core.payments import queries as payment_rows
from fxo.core.ratings import queries as rating_rows
from fxo.core.scope import Permission
from fxo.web import identity, shown
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import partner_shown
from fxo.web.portal.standing import Standing

ON_A_PAGE = 12
MOST_AHEAD = 50
ASKED_FOR = timedelta(days=30)
"""How long after a session its client is asked to rate it."""


@blueprint.get("/sessions")
@identity.needs(Permission.BOOK)
def sessions() -> ResponseReturnValue:
    """The list; `q` narrows it to experts of that name, `page` goes through the past ones."""
    query = " ".join(request.args.get("q", "").replace("\x00", "").split())[:80]
    number = max(1, min(request.args.get("page", 1, type=int) or 1, 10_000))
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        ahead, _total = consultation_rows.my_sessions(tx, past=False, expert=query, count=MOST_AHEAD)
        past, total = consultation_rows.my_sessions(tx, past=True, expert=query, count=ON_A_PAGE, skip=ON_A_PAGE * (number - 1))
        needs, unrated = ([], []) if query or number > 1 else _needs(tx, past)
        found = {row.id: row for row in (*ahead, *past, *needs)}
        stands = _stands(tx, list(found.values()))
    return render_template(
        "portal/sessions.html",
        **frame(),
        query=query,
        needs=_first_is_main([_needed(stands[row.id]) for row in needs]) + [_unrated(stands[row.id]) for row in unrated],
        upcoming=[_line(stands[row.id]) for row in ahead],
        past=[_line(stands[row.id]) for row in past],
        past_count=total,
        pages=_pages(number, total, query),
        find_url="/",
    )


def _needs(tx: Transaction, past: list[ConsultationRow]) -> tuple[list[ConsultationRow], list[ConsultationRow]]:
    """What waits for the client: a slot on hold, a card that was refused; and sessions to be rated."""
    waiting = [*consultation_rows.open_holds(tx), *consultation_rows.these(tx, payment_rows.refused(tx))]
    done = [row for row in past if row.state == "completed" and tx.now - row.ends_at < ASKED_FOR]
    rated = rating_rows.rated(tx, [row.id for row in done])
    return [row for row in waiting if row.state in ("held", "confirmed")], [row for row in done if row.id not in rated][:3]


def _stands(tx: Transaction, rows: list[ConsultationRow]) -> dict[UUID, Standing]:
    zone = identity.required().zone
    money = payment_rows.of_sessions(tx, [row.id for row in rows])
    people = partners.profiles(tx, {row.partner_id for row in rows})
    return {row.id: Standing(row, money.get(row.id), people[row.partner_id], zone, tx.now) for row in rows}


def _line(standing: Standing) -> dict[str, Any]:
    row = standing.row
    day, _comma, clock = shown.time(row.starts_at, standing.zone)["text"].partition(", ")
    person = partner_shown(standing.profile)
    amount = str(standing.paying.captured) if standing.paid and standing.paying else str(row.price)
    text = _("%(amount)s paid", amount=amount) if standing.paid else amount if standing.ahead else ""
    return {
        "day": day if row.starts_at.year == standing.now.year else f"{day} {row.starts_at.year}",
        "time": clock,
        "iso": row.starts_at.isoformat(),
        "url": f"/sessions/{row.id}",
        "person": person,
        "text": text,
        "badge": standing.badge(),
        "actions": [
            {"label": _("Open"), "about": _about(standing), "url": f"/sessions/{row.id}", "kind": "small", "post": False}
        ],
    }


def _about(standing: Standing) -> str:
    """What the button is about, for who hears it."""
    when = shown.time(standing.row.starts_at, standing.zone)["text"]
    return _("the session with %(name)s, %(when)s", name=standing.profile.name, when=when)


def _needed(standing: Standing) -> dict[str, Any]:
    row = standing.row
    if row.state == "held":
        text = _(
            "Held for you until %(time)s. Book it now, or it is given back.", time=shown.clock(row.held_until, standing.zone)
        )
        action = {"label": _("Go on booking"), "url": f"/book/{row.id}"}
    else:
        text = _("Your bank refused the card. Choose another one, so that your time stays yours.")
        action = {"label": _("Look at your card"), "url": f"/sessions/{row.id}/card"}
    return _line(standing) | {"text": text, "url": action["url"], "actions": [action | {"about": _about(standing), "kind": ""}]}


def _first_is_main(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is most urgent has the page's main button."""
    if lines:
        lines[0]["actions"][0]["kind"] = "primary"
    return lines


def _unrated(standing: Standing) -> dict[str, Any]:
    url = f"/sessions/{standing.row.id}#rating"
    action = {"label": _("Rate it"), "about": _about(standing), "url": url, "kind": ""}
    return _line(standing) | {"text": _("How was it? A rating takes ten seconds."), "badge": None, "actions": [action]}


def _pages(number: int, total: int, query: str) -> dict[str, Any] | None:
    last = max(1, -(-total // ON_A_PAGE))
    if last == 1:
        return None

    def url(page: int) -> str:
        return "/sessions?" + urlencode(({"q": query} if query else {}) | {"page": page}) + "#past"

    near = sorted({1, last, *range(max(1, number - 1), min(last, number + 1) + 1)})
    pages: list[dict[str, Any]] = []
    for before, page in zip([0, *near], near, strict=False):
        if page - before > 1:
            pages.append({"label": "…"})
        pages.append({"label": str(page), "url": url(page), "current": page == number})
    return {"pages": pages, "back": url(number - 1) if number > 1 else None, "next": url(number + 1) if number < last else None}
