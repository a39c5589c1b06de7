"""The second request of a shortlist: a model reads the brief again, while the client reads the list that is there."""

from __future__ import annotations

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.matching import commands as matching
from fxo.core.matching.queries import BriefRow
from fxo.web import choices, identity
from fxo.web.places import here
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import part_wanted, scripts_run, visitors_welcome

REORDERS_WITHIN = 1.5
"""Seconds in which a better list takes the place of one that nobody has touched; later it is offered (PRD AR-2.1)."""


def refining(brief: BriefRow, address: str) -> dict[str, str] | None:
    """Where a script asks for a better list, and until when it may show it unasked; None where nobody knows better.

    `address` is the list's, as it is filtered and sorted.
    """
    matched, parts = brief.matched, platform.current()
    if matched is None or matched.refined or matched.confidence < matching.HOPELESS:
        return None
    if not (scripts_run() or part_wanted()) or not matching.refines(parts.providers, here().tenant):
        return None
    return {
        "url": f"/briefs/{brief.id}/refine",
        "list": address,
        "part": _part(address),
        "seconds": f"{REORDERS_WITHIN:g}",
    }


def _part(address: str) -> str:
    """The list with its times, and with what was understood anew."""
    return address + ("&" if "?" in address else "?") + "slots=1&refined=1"


@blueprint.post("/briefs/<brief_id>/refine")
def refine_brief(brief_id: str) -> ResponseReturnValue:
    """A better list, to be shown or offered; nothing where there is none, and the list on the page stands.

    The same request again finds what the first one has recorded.
    """
    visitors_welcome()
    parts, scope, actor, found_id = platform.current(), identity.scope(), identity.actor(), choices.id_from(brief_id)
    if not matching.refine(parts.store, parts.providers, scope, actor, here().tenant, found_id):
        return make_response("", 204)
    path, shown = f"/briefs/{found_id}", request.form.get("list", "")
    address = shown if shown.startswith(f"{path}?") else path
    return render_template("portal/shortlist_refined.html", show_url=address, part_url=_part(address))
