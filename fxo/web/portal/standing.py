"""How a session stands, in the client's words: its badge, its steps, its money, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fxo.core.consultations.model import EARLY
from fxo.core.consultations.policy import cancellation_terms
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.partners.queries import Profile
from fxo.core.payments.queries import PaymentRow
from fxo.web import shown
from fxo.web.language import _

Badge = dict[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """One session at one moment, for a reader in this zone."""

    row: ConsultationRow
    paying: PaymentRow | None
    profile: Profile
    zone: str
    now: datetime
    rated: bool = False

    @property
    def first(self) -> str:
        return self.profile.name.split()[0]

    @property
    def ahead(self) -> bool:
        """Booked or under way, and not over by the clock."""
        return self.row.state in ("confirmed", "started") and self.now < self.row.ends_at

    @property
    def soon(self) -> bool:
        """Ten minutes before the start until its end: one can come in."""
        return self.ahead and self.now >= self.row.starts_at - EARLY

    @property
    def waits_for_completion(self) -> bool:
        """Over by the clock, and its expert has not said so yet."""
        return self.row.state in ("confirmed", "started") and self.now >= self.row.ends_at

    @property
    def card_refused(self) -> bool:
        return self.row.state == "confirmed" and self.paying is not None and bool(
            self.paying.state == "card_saved" and self.paying.reason
        )  # fmt: skip

    @property
    def card_kept(self) -> bool:
        return self.ahead and self.paying is not None and self.paying.state == "card_saved"

    @property
    def paid(self) -> bool:
        return self.paying is not None and self.paying.state == "captured"

    @property
    def owes(self) -> bool:
        """The card was refused for what is owed, and another one is waited for."""
        return self.paying is not None and self.paying.state in ("client_asked", "needs_person")

    @property
    def settling(self) -> bool:
        """Completed, and the money is about to be taken."""
        return self.row.state == "completed" and self.paying is not None and self.paying.state == "authorised"

    def badge(self) -> Badge:
        """The state in a word or two."""
        state = self.row.state
        if self.card_refused:
            return {"text": _("Needs your card"), "kind": "warning"}
        if self.owes:
            return {"text": _("To be paid"), "kind": "warning"}
        if self.waits_for_completion:
            return {"text": _("Over"), "kind": "info"}
        if state == "started":
            return {"text": _("Under way"), "kind": "info"}
        if state == "confirmed" and self.soon:
            return {"text": _("Begins now"), "kind": "info"}
        if state == "missed":
            if self.row.missing == "partner":
                return {"text": _("Expert did not come"), "kind": "warning"}
            return {"text": _("Missed"), "kind": "warning"}
        if state == "confirmed" and self.row.proposed:
            return {"text": _("New time proposed"), "kind": "warning"}
        if state == "completed" and self.paid:
            return {"text": _("Completed and paid"), "kind": "success"}
        return {
            "held": {"text": _("Held, not booked yet"), "kind": "warning"},
            "confirmed": {"text": _("Booked"), "kind": "success"},
            "completed": {"text": _("Completed"), "kind": "success"},
            "cancelled": {"text": _("Cancelled"), "kind": "danger"},
            "lost": {"text": _("Not booked"), "kind": "danger"},
            "requested": {"text": _("Waiting for %(name)s", name=self.first), "kind": "info"},
            "declined": {"text": _("Not booked"), "kind": "danger"},
            "contested": {"text": _("Being looked at"), "kind": "warning"},
            "settled": {"text": _("Missed"), "kind": ""},
            "decided": {"text": _("Decided"), "kind": ""},
        }.get(state, {"text": _("Not booked"), "kind": ""})

    def steps(self) -> list[dict[str, str]]:
        """The way from booked to rated, with its dates; nothing for what ended early."""
        row, price = self.row, str(self.row.price)
        if row.state not in ("confirmed", "started", "completed"):
            return []
        begins, money = shown.time(row.starts_at, self.zone)["text"], self.paying
        booked = shown.day(row.confirmed_at, self.zone) if row.confirmed_at else ""
        found = [(_("Booked"), booked, True)]
        if money and money.authorise_at:
            held = money.state not in ("card_saved", "abandoned")
            when = shown.day(money.authorise_at, self.zone)
            waits = _("Refused, look at it") if self.card_refused else _("%(price)s, %(when)s", price=price, when=when)
            found.append((_("Card held"), price if held else waits, held))
        over = row.state == "completed"
        found += [
            (_("Meet"), _("Under way") if row.state == "started" and self.ahead else begins, over),
            (_("Paid"), str(money.captured) if money and self.paid else _("After the session"), self.paid),
            (_("Rated"), _("Thank you") if self.rated else _("Ten seconds"), self.rated),
        ]
        at = next((number for number, (_title, _text, done) in enumerate(found) if not done), len(found))
        return [
            {"title": title, "text": text, "state": "done" if done else "current" if number == at else ""}
            for number, (title, text, done) in enumerate(found)
        ]

    def next_steps(self) -> list[dict[str, str]]:
        """What comes next, in sentences."""
        row, price = self.row, str(self.row.price)
        pay = {
            "title": _("You pay after the session"),
            "text": _("The amount is taken once %(name)s completes it. Then you get the receipt.", name=self.first),
        }
        rate = {"title": _("You rate it"), "text": _("Ten seconds that help the next person choose.")}
        if self.waits_for_completion:
            done = {
                "title": _("%(name)s completes the session", name=self.first),
                "text": _("Until then nothing is charged. %(price)s stays held on your card.", price=price),
            }
            return [done, rate]
        if row.state == "requested":
            accepted = {
                "title": _("%(name)s accepts", name=self.first),
                "text": _("Then it is booked: the amount is held on your card, and the invitation comes by mail."),
            }
            declined = {
                "title": _("Or it does not work out"),
                "text": _("Then the time is given back, nothing was held, and you see who else is free."),
            }
            return [accepted, declined]
        if not self.ahead:
            return []
        if self.soon:
            return [pay, rate]
        join = shown.time(row.starts_at - EARLY, self.zone)["text"]
        invited = {
            "title": _("Your calendar has it"),
            "text": _("The invitation came by mail. Reminders follow as you chose them in your settings."),
        }
        meet = {
            "title": _("You meet on %(when)s", when=shown.time(row.starts_at, self.zone)["text"]),
            "text": _("The way in opens here at %(when)s, ten minutes before.", when=join),
        }
        if self.card_refused:
            mend = {
                "title": _("You look at your card"),
                "text": _("As soon as a card is held, the session is safe. Nothing is charged by it."),
            }
            return [mend, meet, pay]
        if self.card_kept and self.paying and self.paying.authorise_at:
            when = shown.time(self.paying.authorise_at, self.zone)["text"]
            held = {
                "title": _("%(price)s is held on %(when)s", price=price, when=when),
                "text": _("On %(card)s. Nothing is charged by it.", card=self.paying.method_label),
            }
            return [invited, held, meet, pay]
        return [invited, meet, pay]

    def money(self) -> list[dict[str, Any]]:
        """Where the money stands, and what cancelling costs until when."""
        row, money = self.row, self.paying
        if money is None:
            return [{"label": _("60-minute session"), "value": str(row.price)}]
        card = money.method_label or _("your card")
        if row.fee is not None and money.state != "handed_over":
            return self._fee(money, card)
        match money.state:
            case "captured":
                return self._paid(money)
            case "authorised":
                rows = [{"label": _("Held on %(card)s", card=card), "value": str(money.amount), "total": True}]
                rows.append({"label": _("Paid"), "value": _("in a few seconds") if self.settling else _("after the session")})
                return rows + self._cancelling()
            case "card_saved":
                assert money.authorise_at is not None
                when: Any = _("refused") if self.card_refused else shown.time(money.authorise_at, self.zone)
                if row.state == "requested":
                    when = _("once it is accepted")
                return [
                    {"label": _("60-minute session"), "value": str(row.price), "total": True},
                    {"label": _("To be held on %(card)s", card=card), "value": when},
                    {"label": _("Paid"), "value": _("after the session")},
                    *self._cancelling(),
                ]
            case "owing" | "client_asked" | "needs_person" if money.due is not None:
                waits = _("being charged") if money.state == "owing" else _("to be paid with another card")
                return [
                    {"label": _("Owed"), "value": str(money.due), "total": True},
                    {"label": _("Payment"), "value": waits},
                ]
        return [
            {"label": _("60-minute session"), "value": str(row.price)},
            {"label": _("Charged"), "value": _("nothing"), "total": True},
        ]

    def _fee(self, money: PaymentRow, card: str) -> list[dict[str, Any]]:
        """What a booking that ended early costs, and how far that has come."""
        fee = self.row.fee or self.row.price
        rows: list[dict[str, Any]] = [{"label": _("60-minute session"), "value": str(self.row.price)}]
        if self.row.state == "contested":
            rows.append({"label": _("To pay"), "value": _("not decided yet"), "total": True})
        elif not fee.minor and self.row.rescue_until and money.state == "authorised":
            until = shown.time(self.row.stands_at if self.row.missing else self.row.rescue_until, self.zone)
            rows += [{"label": _("Held on %(card)s until", card=card), "value": until}]
            rows.append({"label": _("Charged"), "value": _("nothing"), "total": True})
        elif not fee.minor and not money.captured.minor:
            rows.append({"label": _("Charged"), "value": _("nothing"), "total": True})
        elif money.captured.minor:
            return self._paid(money)
        else:
            rows.append({"label": _("To pay with %(card)s", card=card), "value": str(fee), "total": True})
        return rows

    def _paid(self, money: PaymentRow) -> list[dict[str, Any]]:
        """What was taken, and what came back of it."""
        rows: list[dict[str, Any]] = [{"label": _("Paid"), "value": str(money.captured), "total": True}]
        if self.row.tax.rate:
            within = money.captured.tax_within(self.row.tax.rate)
            rows.append({"label": _("Includes %(name)s", name=self.row.tax.name), "value": str(within)})
        if money.captured_at is not None:
            card = money.method_label or _("your card")
            rows.append({"label": card, "value": shown.time(money.captured_at, self.zone)})
        if money.refunded.minor:
            rows.append({"label": _("Given back"), "value": str(money.refunded)})
        return rows

    def _cancelling(self) -> list[dict[str, Any]]:
        if not self.ahead:
            return []
        row = self.row
        terms = cancellation_terms(row.policy, row.price, row.starts_at)
        free = next((term.until for term in terms if term.until and not term.amount.minor), None)
        if free and free > self.now:
            return [{"label": _("Free to cancel until"), "value": shown.time(free, self.zone)}]
        now = next(term for term in terms if term.until is None or self.now <= term.until)
        return [{"label": _("Cancelling would cost"), "value": str(now.amount)}]
