"""Where a client can be reached beside their mailbox: they enter a number and the code that is texted to it."""

from __future__ import annotations

import orjson
from flask import flash, redirect, request, send_from_directory
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import commands as clients
from fxo.core.errors import Conflict, Invalid, TooMany
from fxo.core.notifications.port import Channel
from fxo.core.scope import Permission
from fxo.tenants import numbers, throttle
from fxo.web import auth, browsers, choices, forms, identity
from fxo.web.assets import FOLDER
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


@blueprint.post("/settings/browser")
@identity.needs(Permission.BOOK)
@forms.once
def add_browser() -> ResponseReturnValue:
    """What the browser gave its page (`PushSubscription.toJSON()`): notifications go there too."""
    user = identity.required()
    try:
        address = _subscription(request.form.get("subscription", ""))
        label = browsers.named(request.user_agent.string)
        platform.current().store.run(
            identity.scope(), user.actor, clients.add_contact, user.actor.id, Channel.PUSH, address, label
        )
    except (Invalid, Conflict) as error:
        return settings.again("browser", None, error)
    flash(_("This browser shows you what is new from now on, also when the page is closed."), "success")
    return redirect("/settings#notices", 303)


def _subscription(text: str) -> str:
    """The subscription, on one line and with nothing else in it. Whether it is one, its provider finds out."""
    try:
        said = orjson.loads(text[:4_000])
        kept = {"endpoint": str(said["endpoint"]), "keys": {name: str(said["keys"][name]) for name in ("p256dh", "auth")}}
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid("Your browser did not say where it can be notified. Please try again.", field="form") from error
    return orjson.dumps(kept).decode()


@blueprint.get("/push-worker.js")
def push_worker() -> ResponseReturnValue:
    """The script that shows notifications; it stands at the top, so that it may speak for the whole portal."""
    response = send_from_directory(FOLDER, "push-worker.js", mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.post("/settings/contacts/<contact_id>/remove")
@identity.needs(Permission.BOOK)
@forms.once
def remove_contact(contact_id: str) -> ResponseReturnValue:
    """Nothing goes there any more."""
    found_id = choices.id_from(contact_id)
    platform.current().store.run(identity.scope(), identity.required().actor, clients.remove_contact, found_id)
    flash(_("Removed. You get your mails as before."), "success")
    return redirect("/settings#number", 303)
