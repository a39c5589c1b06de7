"""A client's own place: who they are, which mails they get, their cards, their password and address, their browsers."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import commands as clients
from fxo.core.clients import queries as client_rows
from fxo.core.errors import Conflict, Gone, Invalid, TooMany
from fxo.core.events.store import Transaction
from fxo.core.notifications import suppressions
from fxo.core.notifications.choices import CHOICES, OPTIONAL
from fxo.core.notifications.port import Channel
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.scope import Permission
from fxo.tenants import accounts, members, sign_ins, throttle, tokens
from fxo.tenants.passwords import SHORTEST
from fxo.web import auth, choices, forms, identity, shown, theme_choice
from fxo.web.frame import frame
from fxo.web.language import _, ngettext, said
from fxo.web.places import here
from fxo.web.portal import reached
from fxo.web.portal.blueprint import blueprint

_WAITING = "confirm_mail"
"""Where the token of a link to a new address waits in the cookie, so that it stands in no address and no history."""


@blueprint.get("/settings")
@identity.needs(Permission.BOOK)
def settings() -> ResponseReturnValue:
    """Everything that is the client's own to say, on one page."""
    return _settings()


def again(part: str, typed: dict[str, str] | None, error: Invalid | Conflict) -> ResponseReturnValue:
    """The page, where a part of it that stands in another module came back."""
    return _settings(part, typed, error)


def _settings(
    part: str = "", typed: dict[str, str] | None = None, error: Invalid | Conflict | None = None
) -> ResponseReturnValue:
    """The page; where a part of it came back, with what was typed there and what to mend."""
    user, config = identity.required(), here().tenant
    texts, push_key = reached.serves(Channel.SMS), reached.push_key()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        me = client_rows.find(tx, user.actor.id)
        cards = payment_rows.cards(tx, user.actor.id)
        waiting = {card.id: payment_rows.waiting_for(tx, user.actor.id, card.label) for card in cards}
        browsers = sign_ins.of_person(tx, user.actor.id)
        number = reached.of_client(tx) if texts else None
        notified = reached.browsers_of_client(tx) if push_key else []
        alone = suppressions.find(tx, Channel.MAIL, me.email)
        now = tx.now
    profile = {"name": me.name, "company": me.company, "title": me.title, "zone": me.zone}
    page = render_template(
        "portal/settings.html",
        **frame(),
        form=profile | (typed if typed and part == "profile" else {}),
        errors={part: {error.field or "form": said(error)}} if error else {},
        zones=choices.zones(),
        mail=me.email,
        number=number,
        push_key=push_key,
        notified=notified,
        typed_number=(typed or {}).get("number", ""),
        alone=_left_alone(alone, user.zone) if alone else None,
        new_mail=(typed or {}).get("mail", "") if part == "mail" else "",
        mails=[
            {
                "key": choice.key,
                "label": _(choice.label),
                "note": _(choice.note),
                "why": _(choice.why) if choice.why else "",
                "checked": choice.key not in me.mails_without,
            }
            for choice in CHOICES
        ],
        cards=[_card(card, waiting[card.id] is not None, user.zone) for card in cards],
        sessions_url="/sessions",
        browsers=[_browser(each, user.zone) for each in browsers],
        others=len([each for each in browsers if each.id != identity.current_sign_in()]),
        themes=[
            {"value": "system", "label": _("As your device"), "icon": "monitor"},
            {"value": "light", "label": _("Light"), "icon": "sun"},
            {"value": "dark", "label": _("Dark"), "icon": "moon"},
        ],
        chosen=theme_choice.chosen(user) or "system",
        minimum=SHORTEST,
        domains=list(config.mail_domains),
        now=shown.time(now, user.zone),
    )
    return page, error.status if error else 200


def _left_alone(found: suppressions.Suppressed, zone: str) -> dict[str, str]:
    """Why no mails, or fewer, go to this client's address."""
    when = shown.time(found.since, zone)["text"]
    match found.reason:
        case "unsubscribed":
            return {
                "title": _("You have unsubscribed."),
                "text": _("Since %(when)s you get only the mails that are always on.", when=when),
            }
        case "complained":
            return {
                "title": _("A mail of ours was marked as unwanted."),
                "text": _("Since %(when)s we mail you nothing but what keeps your account yours.", when=when),
            }
    return {
        "title": _("Mails to your address come back."),
        "text": _("Since %(when)s we send none there. Please look whether the address is right and has room.", when=when),
    }


def _card(card: payment_rows.Card, wanted: bool, zone: str) -> dict[str, Any]:
    return {
        "id": str(card.id),
        "label": card.label,
        "note": _("Used last on %(when)s", when=shown.time(card.saved_at, zone)["text"]),
        "kept_for": _("A booked session is still to be held on it; give that session another card first.") if wanted else "",
    }


def _browser(each: sign_ins.SignIn, zone: str) -> dict[str, Any]:
    mine = each.id == identity.current_sign_in()
    return {
        "title": each.browser,
        "icon": "monitor",
        "text": _("Signed in since %(when)s", when=shown.time(each.began_at, zone)["text"])
        if mine
        else _(
            "Signed in since %(when)s, seen last %(seen)s",
            when=shown.time(each.began_at, zone)["text"],
            seen=shown.time(each.seen_at, zone)["text"],
        ),
        "badge": {"text": _("This browser"), "kind": "accent"} if mine else None,
    }


@blueprint.post("/settings/profile")
@identity.needs(Permission.BOOK)
@forms.once
def change_profile() -> ResponseReturnValue:
    """Name, company, role and zone."""
    typed = {name: request.form.get(name, "") for name in ("name", "company", "title", "zone")}
    try:
        platform.current().store.run(identity.scope(), identity.required().actor, lambda tx: clients.change_profile(tx, **typed))
    except Invalid as error:
        return _settings("profile", typed, error)
    flash(_("Saved. Experts see your name and company with your next booking; times are shown in your zone."), "success")
    return redirect("/settings", 303)


@blueprint.post("/settings/mails")
@identity.needs(Permission.BOOK)
@forms.once
def choose_mails() -> ResponseReturnValue:
    """Which mails to get, of those that may be left out."""
    without = OPTIONAL - set(request.form.getlist("mail"))
    platform.current().store.run(identity.scope(), identity.required().actor, clients.choose_notifications, without)
    flash(_("Saved. From now on you get the mails that you have chosen."), "success")
    return redirect("/settings#mails", 303)


@blueprint.post("/settings/mails/again")
@identity.needs(Permission.BOOK)
@forms.once
def mail_again() -> ResponseReturnValue:
    """The client says that their address works and that they want our mails."""

    def lift(tx: Transaction) -> None:
        suppressions.lift(tx, Channel.MAIL, client_rows.find(tx, tx.actor.id).email)

    platform.current().store.run(identity.scope(), identity.required().actor, lift)
    flash(_("Thank you. Mails go to your address again; should one come back, you will read it here."), "success")
    return redirect("/settings#mails", 303)


@blueprint.post("/settings/cards/<card_id>/remove")
@identity.needs(Permission.BOOK)
@forms.once
def remove_card(card_id: str) -> ResponseReturnValue:
    """Keep a card no longer, here and at the payment provider."""
    found_id = choices.id_from(card_id)
    try:
        platform.current().store.run(identity.scope(), identity.required().actor, payments.remove_card, found_id)
    except Conflict as error:
        return _settings("cards", None, error)
    flash(
        _("The card is removed, here and at the payment provider. Sessions that are held or paid with it stay as they are."),
        "success",
    )
    return redirect("/settings#cards", 303)


@blueprint.post("/settings/password")
@identity.needs(Permission.BOOK)
@forms.once
def change_password() -> ResponseReturnValue:
    """Another password, for who knows the one of now; every other browser is signed out."""
    user = identity.required()
    try:
        spent = _spend()
        platform.current().store.run(
            identity.scope(),
            user.actor,
            accounts.change_password,
            "member",
            user.actor.id,
            request.form.get("current", ""),
            request.form.get("password", ""),
            keep=identity.current_sign_in(),
        )
    except TooMany as error:
        return auth.later(_settings("password", None, Invalid(auth.wait_sentence(error), field="current")), error)
    except Invalid as error:
        return _settings("password", None, error)
    platform.current().throttle.give_back(spent)
    flash(_("Your password is changed. You stay signed in here; every other browser was signed out."), "success")
    return redirect("/settings#password", 303)


def _spend() -> throttle.Spent:
    """Whoever sits at somebody's open browser does not get to guess the password for long."""
    key = auth.account_key(identity.required().mail)
    return platform.current().throttle.spend((throttle.SIGN_IN_HERE, f"{key}/{auth.address()}"), (throttle.SIGN_IN_ACCOUNT, key))


@blueprint.post("/settings/mail")
@identity.needs(Permission.BOOK)
@forms.once
def ask_to_change_mail() -> ResponseReturnValue:
    """Mail a link to the new address; nothing changes before it is followed."""
    mail = request.form.get("mail", "")
    try:
        spent = _spend()
        platform.current().store.run(
            identity.scope(),
            identity.required().actor,
            members.ask_to_change_mail,
            here().tenant,
            mail,
            request.form.get("password", ""),
        )
    except TooMany as error:
        return auth.later(_settings("mail", {"mail": mail}, Invalid(auth.wait_sentence(error), field="password")), error)
    except Invalid as error:
        return _settings("mail", {"mail": mail}, error)
    platform.current().throttle.give_back(spent)
    flash(_("We mailed a link to the new address. Until you follow it you sign in as before. It works for a day."), "success")
    return redirect("/settings#address", 303)


@blueprint.get("/settings/mail/confirm")
@identity.needs(Permission.BOOK)
def confirm_mail_page() -> ResponseReturnValue:
    """The page behind the link: one button, so that a mail program that follows links changes nothing."""
    if "token" in request.args:
        session[_WAITING] = request.args["token"][:100]
        return redirect("/settings/mail/confirm", 303)
    user = identity.required()
    try:
        with platform.current().store.transaction(identity.scope(), user.actor) as tx:
            found = tokens.read(tx, tokens.CHANGE_MAIL, session.get(_WAITING, ""))
    except Gone:
        return _link_gone()
    if found.person_id != user.actor.id:
        return _link_gone()
    return render_template("portal/confirm_mail.html", **frame(), mail=found.data["mail"], old_mail=user.mail)


def _link_gone() -> ResponseReturnValue:
    session.pop(_WAITING, None)
    return render_template("portal/confirm_mail_gone.html", **frame(), again_url="/settings#address"), 410


@blueprint.post("/settings/mail/confirm")
@identity.needs(Permission.BOOK)
@forms.once
def confirm_mail() -> ResponseReturnValue:
    """The new address is theirs: they sign in with it from now on, and the old one is told."""
    try:
        platform.current().store.run(identity.scope(), identity.required().actor, members.change_mail, session.get(_WAITING, ""))
    except Gone:
        return _link_gone()
    except Conflict as error:
        return _settings("mail", None, error)
    session.pop(_WAITING, None)
    flash(_("This is your address now. You sign in with it, and invitations and receipts go there."), "success")
    return redirect("/settings#address", 303)


@blueprint.post("/settings/sign-out-others")
@identity.needs(Permission.BOOK)
@forms.once
def sign_out_others() -> ResponseReturnValue:
    """End the sign-ins of every other browser."""
    user = identity.required()
    count = platform.current().store.run(
        identity.scope(), user.actor, sign_ins.end_all, user.actor.id, but=identity.current_sign_in()
    )
    flash(ngettext("One other browser was signed out.", "%(num)s other browsers were signed out.", count), "success")
    return redirect("/settings#browsers", 303)
