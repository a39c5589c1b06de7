"""Providers in words: what they are called, how they stand, what went wrong. No word of a provider's own reaches a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxo import platform
from fxo.core.plugins import plugin_of
from fxo.core.plugins.fared import Seen, State
from fxo.core.plugins.faring import Failure, Kind
from fxo.tenants.choosing import PLUGINS, TIME_LIMIT
from fxo.web.language import _, looked_up, ngettext

CURRENCIES = {"matching": "USD"}
"""What a port's costs are counted in; others are in the currency of the account, which we do not know."""


def ports() -> dict[str, str]:
    """The kinds of providers, in the order in which pages list them."""
    return {
        "matching": _("Matching"), "calendars": _("Calendars"), "payments": _("Payments"), "notifications": _("Messages"),
        PLUGINS: _("Further plugins"),
    }  # fmt: skip


def label(name: str) -> str:
    """What people call the provider of that name, a further account with its number."""
    spec = platform.current().plugins.specs.get(plugin_of(name))
    own = looked_up(spec.label or (spec.oauth.label if spec.oauth else "")) if spec else ""
    plain = plugin_of(name).partition("_")[2] if spec else plugin_of(name)
    label = own or plain.replace("_", " ").capitalize()
    account = name.partition(":")[2]
    return _("%(name)s, account %(number)s", name=label, number=account) if account else label


def field(name: str, setting: str) -> str:
    """What the form calls this setting."""
    if setting == TIME_LIMIT:
        return _("Time limit")
    model = platform.current().plugins.settings.get(plugin_of(name))
    info = model.model_fields.get(setting) if model else None
    return looked_up(info.title) if info and info.title else setting.replace("_", " ")


def wrong(name: str, kind: Kind, setting: str = "") -> str:
    """What went wrong, as a sentence."""
    match kind:
        case Kind.AWAY:
            return _("It did not answer.")
        case Kind.SLOW:
            return _("It did not answer in time.")
        case Kind.LIED:
            return _("Its answer was not what it should be.")
        case Kind.BROKE:
            return _("It answered with something that nobody expected.")
        case Kind.PATIENCE:
            return _("It asked for patience: too many requests, or a budget that is used up.")
        case Kind.MISCONFIGURED:
            if setting:
                return _("It does not take what stands in “%(field)s”.", field=field(name, setting))
            return _("It cannot work with these settings.")


def member(name: str) -> str:
    """What was asked of it."""
    words: Mapping[str, str] = {
        "rank": _("Ranking experts"), "refine": _("Refining a list"), "busy_times": _("Reading busy times"),
        "create_meeting": _("Making a meeting"), "move_meeting": _("Moving a meeting"),
        "cancel_meeting": _("Cancelling a meeting"), "changes_since": _("Asking for changes"),
        "authorise": _("Holding money"), "authorise_saved": _("Holding money on a saved card"),
        "save_method": _("Keeping a card"), "forget_method": _("Forgetting a card"), "capture": _("Taking money"),
        "void": _("Letting money go"), "refund": _("Giving money back"), "fetch": _("Looking at a payment"),
        "find_by_reference": _("Looking for a payment"), "list_changed_since": _("Asking for changes"),
        "read_webhook": _("Reading a notice"), "payout_onboarding": _("Setting up a payout"), "transfer": _("Paying an expert"),
        "reverse_transfer": _("Taking a transfer back"), "submit_evidence": _("Sending evidence"),
        "deliver": _("Sending a message"), "check": _("Test"),
    }  # fmt: skip
    return words.get(name, name)


def badge(state: State) -> dict[str, str]:
    """How it stands, at a glance."""
    words = {
        State.UNUSED: (_("Not asked yet"), ""), State.WELL: (_("Well"), "success"), State.TROUBLED: (_("In trouble"), "warning"),
        State.DOWN: (_("Down"), "danger"),
    }  # fmt: skip
    return {"text": words[state][0], "kind": words[state][1]}


def line(seen: Seen) -> str:
    """A day of calls in one line."""
    if not seen.calls:
        return _("No calls in 24 hours")
    parts = [ngettext("%(num)s call", "%(num)s calls", seen.calls)]
    if seen.failed:
        parts.append(_("%(num)s failed", num=seen.failed))
    if median := seen.within(0.5):
        parts.append(_("half within %(time)s", time=milliseconds(median)))
    return ", ".join(parts)


def milliseconds(number: int) -> str:
    """A time in words: `250 ms`, `1.5 s`."""
    return _("%(num)s ms", num=number) if number < 1_000 else _("%(num)s s", num=f"{number / 1000:g}")


def cost(port: str, micros: int) -> str:
    """An amount of millionths, with the currency where it is known."""
    amount = f"{micros / 1_000_000:,.4f}" if 0 < micros < 10_000 else f"{micros / 1_000_000:,.2f}"
    return f"${amount}" if CURRENCIES.get(port) == "USD" else amount


def failure(name: str, one: Failure) -> dict[str, Any]:
    """One failed call as a row; `at` is left to the page."""
    return {"what": member(one.member), "wrong": wrong(name, one.kind, one.field)}
