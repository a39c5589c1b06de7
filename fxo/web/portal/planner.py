"""What happens with the card and when, in the reader's words: the hold planner's own plan, which the code follows too."""

from __future__ import annotations

from typing import Any

from fxo.core.consultations.policy import Term
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.money import Money
from fxo.core.payments.plan import Mode, Plan
from fxo.core.payments.port import ClientSetup
from fxo.web import shown
from fxo.web.language import _, current


def card_field(setup: ClientSetup, amount: Money, *, holds: bool) -> dict[str, Any]:
    """The provider's card field as the page loads it, with what its `mount` gets (`ClientSetup`)."""
    known = {"amount": {"minor": amount.minor, "currency": amount.currency}, "holds": holds, "language": current()}
    return {"module_url": setup.module_url, "config": {**setup.public_config, **known}}


def price_rows(row: ConsultationRow, plan: Plan, zone: str) -> list[dict[str, Any]]:
    """What the hour costs, what is charged today, and what is held when."""
    if plan.mode is Mode.AUTHORISE_NOW:
        held = _("Held today")
    elif row.asks:
        held = _("Held once it is accepted")
    else:
        assert plan.authorise_at is not None
        held = _("Held on %(when)s", when=shown.time(plan.authorise_at, zone)["text"])
    return [
        *_price(row),
        {"label": _("Charged today"), "value": str(Money(0, row.price.currency))},
        {"label": held, "value": str(row.price), "total": True},
    ]


def _price(row: ConsultationRow) -> list[dict[str, Any]]:
    """The price, and the tax: on top of it, or in it."""
    tax = row.tax
    if not tax.rate:
        return [{"label": _("60-minute session"), "value": str(row.price)}]
    within, rate = row.price.tax_within(tax.rate), f"{tax.rate / 100:g}"
    if tax.inclusive:
        line = _("Includes %(rate)s%% %(name)s", rate=rate, name=tax.name)
        return [{"label": _("60-minute session"), "value": str(row.price)}, {"label": line, "value": str(within)}]
    return [
        {"label": _("60-minute session"), "value": str(row.price - within)},
        {"label": _("%(rate)s%% %(name)s", rate=rate, name=tax.name), "value": str(within)},
    ]


def steps(row: ConsultationRow, plan: Plan, zone: str, first_name: str) -> list[dict[str, Any]]:
    """What happens, and when; every time comes from the plan."""
    starts, price = shown.time(row.starts_at, zone)["text"], str(row.price)
    meet = {
        "title": _("%(when)s: you meet %(name)s", when=starts, name=first_name),
        "text": _("The invitation and the meeting link come by mail within a minute of booking."),
        "state": "",
    }
    pay = {
        "title": _("After the session: %(price)s is paid", price=price),
        "text": _(
            "%(name)s completes the session, and you get the receipt. If it does not take place, nothing is charged.",
            name=first_name,
        ),
        "state": "",
    }
    if plan.mode is Mode.AUTHORISE_NOW:
        today = {
            "title": _("Today: %(price)s is held on your card", price=price),
            "text": _("Nothing is charged. Your bank may show it as pending."),
            "state": "current",
        }
        return [today, meet, pay]
    assert plan.authorise_at is not None and plan.retry_at is not None and plan.give_up_at is not None
    today = {
        "title": _("Today: your card is kept"),
        "text": _("Nothing is held and nothing is charged. Your bank may ask you to confirm."),
        "state": "current",
    }
    if row.asks:
        answer = {
            "title": _("Within hours: %(name)s accepts or declines", name=first_name),
            "text": _(
                "The time is kept for you meanwhile. Without a yes nothing is held, and you see who else is free. With a yes"
                " %(price)s is held on your card.", price=price,
            ),
            "state": "",
        }  # fmt: skip
        return [today, answer, meet, pay]
    hold = {
        "title": _("%(when)s: %(price)s is held on your card", when=shown.time(plan.authorise_at, zone)["text"], price=price),
        "text": _(
            "If your bank says no, we write to you and try again on %(retry)s. If it still says no, the time is given back on"
            " %(end)s, at no cost to you.",
            retry=shown.time(plan.retry_at, zone)["text"],
            end=shown.time(plan.give_up_at, zone)["text"],
        ),
        "state": "",
    }
    return [today, hold, meet, pay]


def rules(terms: tuple[Term, ...], zone: str, first_name: str) -> list[dict[str, str]]:
    """What cancelling costs until when, and that the expert's own cancelling costs nothing."""
    found = []
    for number, term in enumerate(terms):
        until = shown.time(term.until, zone)["text"] if term.until else ""
        if term.until and not term.amount.minor:
            found.append({"title": _("Free to cancel until %(when)s.", when=until), "text": ""})
        elif term.until:
            found.append(
                {
                    "title": "",
                    "text": _("After that, cancelling costs %(amount)s until %(when)s.", amount=str(term.amount), when=until)
                    if number
                    else _("Cancelling costs %(amount)s until %(when)s.", amount=str(term.amount), when=until),
                }
            )
        else:
            found.append(
                {
                    "title": "",
                    "text": _("From then on it costs the whole %(amount)s.", amount=str(term.amount))
                    if number
                    else _("Cancelling costs the whole %(amount)s, since the session is so near.", amount=str(term.amount)),
                }
            )
    return [*found, {"title": "", "text": _("If %(name)s cancels, you pay nothing.", name=first_name)}]


def button(row: ConsultationRow, plan: Plan, first_name: str) -> str:
    """The one button: what is done with the card, and that it books, or asks."""
    price = row.price
    if row.asks:
        return _("Keep the card and ask %(name)s", name=first_name)
    if plan.mode is Mode.AUTHORISE_NOW:
        return _("Authorise %(price)s and book", price=str(price))
    return _("Keep the card and book for %(price)s", price=str(price))


def consent() -> str:
    """The sentence that a client agrees to with a card, in the reader's language; in English it is what is recorded."""
    return _("The card is kept by the payment provider and may be charged for this and later sessions as shown, while I am away.")


def refusal(reason: str, *, kept: str) -> dict[str, str]:
    """Why a card did not work: what happened, what it means, what to do. `kept` says that the time is still theirs."""
    happened, todo = {
        "card_declined": (_("Your bank declined this card."), _("Try another card, or ask your bank why.")),
        "insufficient_funds": (_("There is not enough on this card."), _("Try another card.")),
        "expired_card": (_("This card has expired."), _("Try another card.")),
        "authentication_required": (
            _("Your bank wants your own word before it allows this."),
            _("Try the same card again and confirm, or take another one."),
        ),
        "authentication_failed": (
            _("The confirmation at your bank was refused."),
            _("Try again, or take another card."),
        ),
        "abandoned": (_("Your bank did not hear from you in time."), _("Try again, or take another card.")),
        "provider_unavailable": (
            _("The payment service does not answer at the moment."),
            _("Try again in a minute."),
        ),
        "unknown_card": (_("This card is not known here."), _("Enter it anew, or take another one.")),
    }.get(reason, (_("Your bank declined this card."), _("Try another card, or ask your bank why.")))
    return {"title": happened, "text": " ".join(part for part in (_("Nothing was charged."), kept, todo) if part)}
