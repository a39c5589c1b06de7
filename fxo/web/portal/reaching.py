"""Where a client can be reached beside their mailbox: they enter a number and the code that is texted to it."""

from __future__ import annotations

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import commands as clients
from fxo.core.errors import Invalid, TooMany
from fxo.core.scope import Permission
from fxo.tenants import numbers, throttle
from fxo.web import auth, choices, forms, identity
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.portal import settings
from fxo.web.portal.blueprint import blueprint


@blueprint.post("/settings/number")
@identity.needs(Permission.BOOK)
@forms.once
def ask_for_number() -> ResponseReturnValue:
    """Text a code to the number; nothing goes there before it is typed."""
    typed = request.form.get("number", "")
    user, parts = identity.required(), platform.current()
    try:
        number = numbers.read(typed)
        parts.throttle.spend((throttle.NUMBER_ASKED, f"{user.actor.id}"), (throttle.NUMBER_ASKED, f"{here().tenant.id}/{number}"))
        parts.store.run(identity.scope(), user.actor, numbers.ask, number)
    except TooMany as error:
        return auth.later(settings.again("number", {"number": typed}, Invalid(auth.wait_sentence(error), field="number")), error)
    except Invalid as error:
        return settings.again("number", {"number": typed}, error)
    flash(_("We texted you a code. It works for ten minutes."), "success")
    return redirect("/settings#number", 303)


@blueprint.post("/settings/number/code")
@identity.needs(Permission.BOOK)
@forms.once
def confirm_number() -> ResponseReturnValue:
    """The code that was texted: the number is theirs."""
    user, parts = identity.required(), platform.current()
    try:
        parts.throttle.spend((throttle.NUMBER_CODE, f"{user.actor.id}"))
        parts.store.run(identity.scope(), user.actor, numbers.confirm, request.form.get("code", ""))
    except TooMany as error:
        return auth.later(settings.again("number", None, Invalid(auth.wait_sentence(error), field="code")), error)
    except Invalid as error:
        return settings.again("number", None, error)
    flash(_("This is your number now. What cannot wait is texted there, beside the mail."), "success")
    return redirect("/settings#number", 303)


@blueprint.post("/settings/contacts/<contact_id>/remove")
@identity.needs(Permission.BOOK)
@forms.once
def remove_contact(contact_id: str) -> ResponseReturnValue:
    """Nothing goes there any more."""
    found_id = choices.id_from(contact_id)
    platform.current().store.run(identity.scope(), identity.required().actor, clients.remove_contact, found_id)
    flash(_("Removed. You get your mails as before."), "success")
    return redirect("/settings#number", 303)
