"""Stripe's books: customers, cards, intents, charges, refunds and disputes, with the states that its reference publishes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.emulators.stripe_cards import CARDS, Card
from tests.emulators.stripe_wire import Json, Refusal, flag, invalid, missing, one_of, whole

PRESENT, AWAY = timedelta(days=7), timedelta(days=4, hours=18)
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
SEARCH_LAG = timedelta(minutes=1)
"""What is newer is not found by a search (https://docs.stripe.com/search#data-freshness)."""


class Books:
    """One account in test mode."""

    def __init__(self, clock: Callable[[], datetime], address: str) -> None:
        self.clock, self.address = clock, address
        self.kept: dict[str, Json] = {}
        self.cards: dict[str, Card] = {}
        self.confirmed: set[str] = set()
        self.detached: set[str] = set()
        self.events: list[Json] = []
        self.hold: timedelta | None = None
        """How long banks hold, where that is shorter than usual."""
        self.fees_late = False
        """Whether what is captured is entered in the balance, with its fee, only as time passes."""
        self.settles: tuple[str, float] | None = None
        """The currency of the balance and the rate to it, where that is not the charge's own."""
        self.balance: int | None = None
        """What can be transferred; None for always enough."""
        self._numbers = count(1)

    @property
    def now(self) -> int:
        return int(self.clock().timestamp())

    def all(self, kind: str) -> list[Json]:
        """Everything of that kind, the newest first."""
        return [each for each in reversed(self.kept.values()) if each["object"] == kind]

    def new(self, prefix: str, kind: str, **values: Any) -> Json:
        made = {"id": f"{prefix}_{next(self._numbers):08d}", "object": kind, "created": self.now, "livemode": False, **values}
        self.kept[made["id"]] = made
        return made

    def get(self, kind: str, reference: str, param: str = "id") -> Json:
        found = self.kept.get(reference)
        if found is None or found["object"] != kind:
            raise missing(kind, reference, param)
        return found

    def tell(self, kind: str, about: Json) -> None:
        """An event; it shows the thing as it is now."""
        self.events.append(
            self.new("evt", "event", type=kind, api_version=None, data={"object": self.shown(about)}, pending_webhooks=0)
        )

    def shown(self, thing: Json, expand: list[str] | None = None) -> Json:
        """The thing as it is answered: what belongs to it as an id, or as itself where that was asked for."""
        seen = {name: dict(value) if isinstance(value, dict) else value for name, value in thing.items() if name[0] != "_"}
        for name in expand or ():
            name, _, deeper = name.partition(".")
            if name not in seen:
                raise invalid(f"This property cannot be expanded ({name}).", param="expand")
            if isinstance(seen[name], str):
                seen[name] = self.shown(self.kept[seen[name]], [deeper] if deeper else None)
        return seen

    # ---- customers and cards

    def make_customer(self, given: Json) -> Json:
        return self.new("cus", "customer", metadata=given.get("metadata", {}))

    def delete_customer(self, reference: str) -> Json:
        """By the API, or by the merchant in the dashboard; their cards go with them."""
        del self.kept[self.get("customer", reference)["id"]]
        for method in self.all("payment_method"):
            if method["customer"] == reference:
                self.detach(method["id"], {})
        return {"id": reference, "object": "customer", "deleted": True}

    def make_token(self, given: Json) -> Json:
        name = str(given.get("payment_method"))
        if name not in CARDS:
            raise missing("PaymentMethod", name, "payment_method")
        usage = one_of(given, "setup_future_usage", ("off_session", "on_session"))
        return self.new("ctoken", "confirmation_token", setup_future_usage=usage, _card=name, _used=False)

    def make_method(self, name: str) -> Json:
        card = CARDS[name]
        made = self.new("pm", "payment_method", type="card", customer=None, card={"brand": card.brand, "last4": card.last4})
        self.cards[made["id"]] = card
        return made

    def detach(self, reference: str, given: Json) -> Json:
        method = self.get("payment_method", reference)
        if method["customer"] is None:
            raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
        method["customer"] = None
        self.detached.add(reference)
        return method

    # ---- intents

    def make_intent(self, given: Json, kind: str) -> Json:
        if "customer" in given:
            self.get("customer", given["customer"], "customer")
        values: Json = {
            "customer": given.get("customer"), "metadata": given.get("metadata", {}), "description": given.get("description"),
            "payment_method": None, "payment_method_types": given.get("allowed_payment_method_types", ["card", "klarna"]),
            "status": "requires_payment_method", "next_action": None, "cancellation_reason": None, "_answer": None,
        }  # fmt: skip
        if kind == "setup_intent":
            one_of(given, "usage", ("off_session", "on_session"))
            return self.new("seti", kind, usage=given.get("usage", "off_session"), last_setup_error=None, **values)
        currency = given["currency"]
        if not re.fullmatch("[a-z]{3}", currency):
            raise invalid(f"Invalid currency: {currency}", param="currency")
        if re.search(r"[<>\\'\"*]", given.get("statement_descriptor_suffix", "")):
            raise invalid("The statement descriptor has characters that are not allowed.", param="statement_descriptor_suffix")
        return self.new(
            "pi", kind, amount=whole(given, "amount"), currency=currency, amount_received=0, amount_capturable=0,
            capture_method=one_of(given, "capture_method", ("automatic", "automatic_async", "manual")) or "automatic_async",
            setup_future_usage=one_of(given, "setup_future_usage", ("off_session", "on_session")),
            statement_descriptor_suffix=given.get("statement_descriptor_suffix"), latest_charge=None, last_payment_error=None,
            **values,
        )  # fmt: skip

    def confirm(self, intent: Json, given: Json) -> Json:
        if intent["status"] not in OPEN:
            raise unexpected(intent, "confirm")
        away = flag(given, "off_session")
        if away and intent.get("setup_future_usage"):
            raise invalid("You cannot use setup_future_usage with off_session.", param="off_session")
        method = self._source(intent, given)
        card = self.cards[method["id"]]
        saves = intent["object"] == "setup_intent"
        if card.declined and not (saves and card.saves):
            raise self._refuse(intent, method, "card_declined", card.declined)
        if card.asks == "always" or (card.asks == "once" and method["id"] not in self.confirmed):
            if away:
                raise self._refuse(intent, method, "authentication_required", "authentication_required")
            if not re.match("https?://", given.get("return_url", "")):
                raise invalid("A return_url must be specified.", code="parameter_missing", param="return_url")
            url = f"{self.address}/3ds/{intent['id']}"
            redirect = {"url": url, "return_url": given["return_url"]}
            intent |= {"status": "requires_action", "payment_method": method["id"], "_returns": given["return_url"]}
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
            self.tell(f"{intent['object']}.requires_action", intent)
            return intent
        return self._accept(intent, method, away=away)

    def _source(self, intent: Json, given: Json) -> Json:
        """The card that is to be used."""
        if ("confirmation_token" in given) == ("payment_method" in given):
            raise invalid("Give a payment_method or a confirmation_token.", param="payment_method")
        if reference := given.get("confirmation_token"):
            token = self.get("confirmation_token", reference, "confirmation_token")
            if token["_used"]:
                raise invalid("This ConfirmationToken was used already.", param="confirmation_token")
            wanted = intent.get("usage") or intent.get("setup_future_usage")
            if token["setup_future_usage"] not in (None, wanted):
                raise invalid("The ConfirmationToken has another setup_future_usage.", param="confirmation_token")
            token["_used"] = True
            return self.make_method(token["_card"])
        reference = str(given["payment_method"])
        if reference in CARDS:
            return self.make_method(reference)
        method = self.get("payment_method", reference, "payment_method")
        if reference in self.detached or method["customer"] not in (None, intent["customer"]):
            raise invalid("The provided PaymentMethod cannot be used with this customer.", param="payment_method")
        return method

    def _refuse(self, intent: Json, method: Json, code: str, decline: str) -> Refusal:
        problem = {"type": "card_error", "code": code, "decline_code": decline, "message": "Your card was declined."}
        error = "last_setup_error" if intent["object"] == "setup_intent" else "last_payment_error"
        intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None, error: problem}
        self.tell(f"{intent['object']}.{'setup_failed' if error == 'last_setup_error' else 'payment_failed'}", intent)
        more = {"decline_code": decline, intent["object"]: self.shown(intent)}
        return Refusal(402, "card_error", problem["message"], code, more=more)

    def _accept(self, intent: Json, method: Json, *, away: bool = False) -> Json:
        intent |= {"payment_method": method["id"], "next_action": None}
        if intent["customer"] and (intent.get("usage") or intent.get("setup_future_usage")):
            method["customer"] = intent["customer"]
        if intent["object"] == "setup_intent":
            intent["status"] = "succeeded"
            self.tell("setup_intent.succeeded", intent)
            return intent
        if intent["capture_method"] != "manual":
            raise invalid("This emulator holds money first.", param="capture_method")
        ends = self.now + int((self.hold or (AWAY if away else PRESENT)).total_seconds())
        charge = self.new(
            "ch", "charge", amount=intent["amount"], amount_captured=0, amount_refunded=0, captured=False, refunded=False,
            disputed=False, balance_transaction=None, currency=intent["currency"], payment_intent=intent["id"],
            customer=intent["customer"], payment_method=method["id"], metadata=intent["metadata"],
            payment_method_details={"type": "card", "card": {**method["card"], "capture_before": ends}},
        )  # fmt: skip
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"], "latest_charge": charge["id"]}
        self.tell("payment_intent.amount_capturable_updated", intent)
        return intent

    def answer_bank(self, reference: str, word: str) -> str:
        """The client's word on the bank's page; where they are sent then."""
        intent = self.kept[reference]
        if intent["status"] == "requires_action":
            method = self.kept[intent["payment_method"]]
            if word == "approve":
                self.confirmed.add(method["id"])
                self._accept(intent, method)
            else:
                self._refuse(intent, method, f"{intent['object']}_authentication_failure", "authentication_required")
                del intent["last_setup_error" if intent["object"] == "setup_intent" else "last_payment_error"]["decline_code"]
        return str(intent["_returns"])

    def capture(self, intent: Json, given: Json) -> Json:
        if intent["status"] != "requires_capture":
            raise unexpected(intent, "capture")
        taken = whole(given, "amount_to_capture", intent["amount"])
        if taken > intent["amount_capturable"]:
            raise invalid("The amount is greater than what can be captured.", code="amount_too_large", param="amount_to_capture")
        charge = self.kept[intent["latest_charge"]]
        rest = intent["amount"] - taken
        charge |= {"captured": True, "amount_captured": taken, "amount_refunded": rest}
        if rest:  # what is let go stands among the refunds, though no money moved
            self._refund(intent, rest, {}, balance_transaction=None)
        if not self.fees_late:
            self._enter(charge)
        intent |= {"status": "succeeded", "amount_received": taken, "amount_capturable": 0}
        self.tell("charge.captured", charge)
        self.tell("payment_intent.succeeded", intent)
        if reason := self.cards[intent["payment_method"]].disputed:
            self.dispute(intent["id"], reason)
        return intent

    def _enter(self, charge: Json) -> None:
        """In the balance, less 2.9 percent and 30 of the smallest unit."""
        currency, rate = self.settles or (charge["currency"], None)
        amount = round(charge["amount_captured"] * (rate or 1))
        fee = round(amount * 0.029) + 30
        entry = self.new(
            "txn", "balance_transaction", type="charge", amount=amount, fee=fee, net=amount - fee, currency=currency,
            exchange_rate=rate, source=charge["id"],
        )  # fmt: skip
        charge["balance_transaction"] = entry["id"]

    def cancel(self, intent: Json, given: Json) -> Json:
        one_of(given, "cancellation_reason", REASONS)
        if intent["status"] not in (*OPEN, "requires_capture"):
            raise unexpected(intent, "cancel")
        return self._end(intent, given.get("cancellation_reason"))

    def _end(self, intent: Json, reason: str | None) -> Json:
        if charge := self.kept.get(intent.get("latest_charge") or ""):
            charge |= {"refunded": True, "amount_refunded": charge["amount"]}
        intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
        if "amount" in intent:
            intent["amount_capturable"] = 0
        self.tell(f"{intent['object']}.canceled", intent)
        return intent

    def pass_time(self) -> None:
        """What nobody captured in time is ended by Stripe itself; what was captured is entered at the latest now."""
        for charge in self.all("charge"):
            if charge["captured"] and not charge["balance_transaction"]:
                self._enter(charge)
        for intent in self.all("payment_intent"):
            if intent["status"] == "requires_capture":
                charge = self.kept[intent["latest_charge"]]
                if charge["payment_method_details"]["card"]["capture_before"] <= self.now:
                    self._end(intent, "automatic")
                    self.tell("charge.expired", charge)

    def search(self, query: str) -> list[Json]:
        wanted = dict(re.findall(r"metadata\['(\w+)'\]:'([^']*)'", query))
        rest = re.sub(r"metadata\['\w+'\]:'[^']*'", "", query).replace("AND", "").strip()
        if rest or not wanted:
            raise invalid(f"The query is not understood: {rest}", param="query")
        old = self.now - SEARCH_LAG.total_seconds()
        return [
            each for each in self.all("payment_intent")
            if each["created"] <= old and all(each["metadata"].get(name) == value for name, value in wanted.items())
        ]  # fmt: skip

    # ---- refunds and disputes

    def make_refund(self, given: Json) -> Json:
        intent = self.get("payment_intent", str(given.get("payment_intent")), "payment_intent")
        if intent["status"] != "succeeded":
            raise invalid("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
        charge = self.kept[intent["latest_charge"]]
        if any(each["status"] in ("needs_response", "under_review", "lost") for each in self.disputes_of(intent["id"])):
            raise invalid("The charge has been charged back.", code="charge_disputed")
        left = charge["amount"] - charge["amount_refunded"]
        if not left:
            raise invalid("The charge has already been refunded.", code="charge_already_refunded")
        amount = whole(given, "amount", left)
        if amount > left:
            raise invalid("The refund is greater than the unrefunded amount on the charge.", param="amount")
        made = self._refund(intent, amount, given.get("metadata", {}), balance_transaction="txn_1")
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.tell("refund.created", made)
        self.tell("charge.refunded", charge)
        return made

    def _refund(self, intent: Json, amount: int, metadata: Json, **values: Any) -> Json:
        return self.new(
            "re", "refund", amount=amount, currency=intent["currency"], payment_intent=intent["id"], metadata=metadata,
            charge=intent["latest_charge"], status="succeeded", **values,
        )  # fmt: skip

    def disputes_of(self, intent: str) -> list[Json]:
        return [each for each in self.all("dispute") if each["payment_intent"] == intent]

    def dispute(self, reference: str, reason: str = "fraudulent") -> Json:
        """The cardholder wants the money back; an inquiry (`warning`) draws nothing yet."""
        intent = self.get("payment_intent", reference)
        charge, inquiry = self.kept[intent["latest_charge"]], reason == "warning"
        amount = charge["amount"] - charge["amount_refunded"]
        drawn = {"id": "txn_2", "object": "balance_transaction", "amount": -amount, "fee": 1_500, "currency": "usd"}
        made = self.new(
            "dp", "dispute", amount=amount, currency=intent["currency"], payment_intent=reference, charge=charge["id"],
            reason="general" if inquiry else reason, status="warning_needs_response" if inquiry else "needs_response",
            balance_transactions=[] if inquiry else [drawn], metadata={}, evidence={},
            evidence_details={
                "due_by": self.now + 7 * 86_400, "has_evidence": False, "past_due": False, "submission_count": 0,
            },
        )  # fmt: skip
        charge["disputed"] = True
        self.tell("charge.dispute.created", made)
        return made

    def update_dispute(self, dispute: Json, given: Json) -> Json:
        if dispute["status"] not in ("needs_response", "warning_needs_response"):
            raise invalid("This dispute is already closed.", param="dispute")
        for name, text in given.get("evidence", {}).items():
            if len(text) > 20_000:
                raise invalid("Too long.", code="parameter_invalid_string", param=f"evidence[{name}]")
        dispute["evidence"] |= given.get("evidence", {})
        dispute["metadata"] |= given.get("metadata", {})
        dispute["evidence_details"]["has_evidence"] = bool(dispute["evidence"])
        if flag(given, "submit"):
            dispute["status"] = "under_review"
            dispute["evidence_details"]["submission_count"] += 1
        self.tell("charge.dispute.updated", dispute)
        return dispute

    def decide(self, reference: str, *, won: bool) -> None:
        """The card's bank decides."""
        for dispute in self.disputes_of(reference)[:1]:
            dispute["status"] = "won" if won else "lost"
            self.tell("charge.dispute.closed", dispute)

    # ---- Connect

    def make_account(self, given: Json) -> Json:
        if given.get("type") != "express" or "transfers" not in given.get("capabilities", {}):
            raise invalid("This emulator has Express accounts that ask for transfers.", param="type")
        return self.new(
            "acct", "account", type="express", country=given.get("country", "US"), metadata=given.get("metadata", {}),
            capabilities={"transfers": "inactive"}, payouts_enabled=False,
        )  # fmt: skip

    def onboard(self, account: str) -> None:
        """Somebody has said who they are and where the money goes."""
        self.kept[account] |= {"capabilities": {"transfers": "active"}, "payouts_enabled": True}

    def make_link(self, given: Json) -> Json:
        account = self.get("account", given["account"], "account")
        for name in ("return_url", "refresh_url"):
            if not re.match("https?://", given.get(name, "")):
                raise invalid(f"You must provide a {name}.", code="parameter_missing", param=name)
        one_of(given, "type", ("account_onboarding", "account_update"))
        url = f"https://connect.stripe.com/setup/e/{account['id']}/once"
        return {"object": "account_link", "created": self.now, "expires_at": self.now + 300, "url": url}

    def make_transfer(self, given: Json) -> Json:
        account = self.get("account", given["destination"], "destination")
        amount = whole(given, "amount")
        if account["capabilities"]["transfers"] != "active":
            raise invalid("The account cannot get transfers yet.", code="insufficient_capabilities_for_transfer")
        if self.balance is not None and amount > self.balance:
            raise invalid("You have insufficient available funds.", code="balance_insufficient")
        return self.new(
            "tr", "transfer", amount=amount, amount_reversed=0, currency=given["currency"], destination=account["id"],
            metadata=given.get("metadata", {}), transfer_group=given.get("transfer_group"), reversed=False,
        )  # fmt: skip

    def make_reversal(self, transfer: Json, given: Json) -> Json:
        left = transfer["amount"] - transfer["amount_reversed"]
        amount = whole(given, "amount", left)
        if amount > left:
            raise invalid("The reversal is greater than what is left of the transfer.", param="amount")
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        return self.new(
            "trr", "transfer_reversal", amount=amount, currency=transfer["currency"], transfer=transfer["id"],
            metadata=given.get("metadata", {}),
        )  # fmt: skip


def unexpected(intent: Json, verb: str) -> Refusal:
    kind = intent["object"]
    status = intent["status"]
    return invalid(f"You cannot {verb} this {kind} because it has a status of {status}.", code=f"{kind}_unexpected_state")
