"""What a client says about the session: being there, an expert who is not, that it was otherwise."""

from __future__ import annotations

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import EARLY, Party
from fxo.core.errors import Conflict, Invalid, NotFound
from fxo.core.scope import Permission
from fxo.web import choices, forms, identity
from fxo.web.language import _, said
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.sessions import session_with_errors


@blueprint.get("/sessions/<consultation_id>/join")
@identity.needs(Permission.BOOK)
def join(consultation_id: str) -> ResponseReturnValue:
    """On to the meeting; that the client went there is evidence that they came."""
    found_id, user = choices.id_from(consultation_id), identity.required()
    store = platform.current().store
    with store.transaction(identity.scope(), user.actor) as tx:
        row, link, now = consultation_rows.find(tx, found_id), calendars.join_url(tx, found_id), tx.now
    if link is None:
        raise NotFound(_("There is no meeting to join here."))
    if row.state in ("confirmed", "started") and row.starts_at - EARLY <= now < row.ends_at:
        store.run(identity.scope(), user.actor, consultations.arrive, found_id, "joined")
    return redirect(link, 303)


@blueprint.post("/sessions/<consultation_id>/absent")
@identity.needs(Permission.BOOK)
@forms.once
def say_absent(consultation_id: str) -> ResponseReturnValue:
    """The expert did not come."""
    found_id = choices.id_from(consultation_id)
    platform.current().store.run(
        identity.scope(), identity.required().actor, consultations.report_absence, found_id, Party.PARTNER
    )
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/object")
@identity.needs(Permission.BOOK)
@forms.once
def say_otherwise(consultation_id: str) -> ResponseReturnValue:
    """It was not so; a person hears both."""
    found_id, says = choices.id_from(consultation_id), request.form.get("says", "was_there")
    try:
        platform.current().store.run(
            identity.scope(), identity.required().actor, consultations.object_to, found_id, says, request.form.get("words", "")
        )
    except Invalid as error:
        return session_with_errors(found_id, {error.field or "words": said(error)}, 422)
    except Conflict as error:
        if error.code == "too_early":
            return session_with_errors(found_id, {"words": said(error)}, 409)
        raise
    flash(_("Thank you. A person reads what you both say, and no money moves before they have decided."), "success")
    return redirect(f"/sessions/{found_id}", 303)
