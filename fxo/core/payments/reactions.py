"""How the outside is made to agree with a payment: what to ask the provider, and asking it. What follows is `process`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.errors import ActionRequired, Declined
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.payments import model, queries, settling
from fxo.core.payments.model import PAYMENT, Asking, Saved
from fxo.core.payments.port import Customer, Order, PaymentProvider, PaymentStatus, ProviderPayment, Refund, SavedMethod
from fxo.core.payments.queries import newest_card
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.work.model import Work

LoadConfig = Callable[[Transaction], TenantConfig]
"""The record of the tenant in scope; `app` hands it to core."""

Answer = ProviderPayment | Declined | ActionRequired
"""What an attempt came to: held or saved, refused, or waiting for the client at the bank."""


@dataclass(frozen=True, slots=True)
class Ask:
    """An attempt as it is to be put to the provider; `reference` is set once the provider knows it."""

    config: TenantConfig
    provider: str
    verb: str
    order: Order
    consultation_id: UUID
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """The next step of a payment, as it is to be put to its provider."""

    config: TenantConfig
    provider: str
    step: settling.Step
    request: model.Requested


Result = ProviderPayment | Refund | Declined
"""What a step came to."""


@dataclass(frozen=True, slots=True)
class Stray:
    """An attempt that was given up; it is found at the provider by our reference."""

    config: TenantConfig
    provider: str
    order_reference: str


@dataclass(frozen=True, slots=True)
class Answering:
    """A dispute to answer: the payment's reference at the provider, the dispute's, and what is sent."""

    config: TenantConfig
    provider: str
    reference: str
    dispute: str
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What to compare: references at each provider that are watched, and since when changes are asked for."""

    config: TenantConfig
    watched: Mapping[str, Sequence[str]]
    since: datetime
    without_fee: Mapping[str, Sequence[str]]
    """What was taken, and of which the provider has not told its fee."""


@dataclass(frozen=True, slots=True)
class Forget:
    """A card that the provider is to keep no longer."""

    config: TenantConfig
    provider: str
    method: SavedMethod


class PaymentReactions:
    """Looks at payment streams and asks providers."""

    def __init__(self, providers: Providers, load_config: LoadConfig) -> None:
        self.providers = providers
        self.load_config = load_config

    def interactive(self, verb: str) -> Callable[[Transaction, Work], Ask | None]:
        """Looks whether this attempt is still the one that is being asked about."""

        def look(tx: Transaction, work: Work) -> Ask | None:
            match model.asking(tx.load(PAYMENT, work.stream_id).state):
                case Asking(request, reference) if request.attempt == work.id:
                    return self._ask(tx, work, request, verb, str(work.body["method"]), reference)
            return None

        return look

    def off_session(self, tx: Transaction, work: Work) -> Ask | None:
        """Looks whether a saved card still waits to be authorised."""
        match tx.load(PAYMENT, work.stream_id).state:
            case Saved(request, card):
                return self._ask(tx, work, request, "authorise_saved", card.method, None, card.customer)
        return None

    def anew(self, tx: Transaction, work: Work, request: model.Requested, held: model.Authorised) -> Ask:
        """The card of a standing hold, to be held once more while the client is away."""
        return self._ask(tx, work, request, "authorise_saved", held.method, None, held.customer)

    def _ask(
        self, tx: Transaction, work: Work, request: model.Requested, verb: str, method: str, reference: str | None,
        customer: str | None = None,
    ) -> Ask:  # fmt: skip
        config = self.load_config(tx)
        if customer is None and (known := newest_card(tx, request.client_id, request.provider)):
            customer = known.customer
        order = self._order(config, request, work.key, request.amount, method, Customer(request.client_id, customer))
        return Ask(config, request.provider, verb, order, request.consultation_id, reference)

    @staticmethod
    def _order(
        config: TenantConfig, request: model.Requested, reference: str, amount: Money, method: str, customer: Customer
    ) -> Order:
        return Order(
            reference=reference, amount=amount, method=method, customer=customer,
            description=f"{config.name}, 60-minute session",
            return_url=f"{config.portal_url}/book/{request.consultation_id}/return",
        )  # fmt: skip

    def ask(self, wanted: Ask, work: Work) -> Answer:
        """Put the attempt to the provider, or ask how it stands. Before a late retry it is looked up by our reference."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        try:
            found = self._put(provider, wanted, work)
        except (Declined, ActionRequired) as answer:
            return answer
        if found.status is PaymentStatus.ACTION_REQUIRED:
            return ActionRequired(found.url or "", reference=found.reference)
        return _standing(found)

    def _put(self, provider: PaymentProvider, wanted: Ask, work: Work) -> ProviderPayment:
        if wanted.reference:
            return provider.fetch(wanted.reference)
        if work.lease_no > 1 and (found := _asked_before(provider, wanted.order.reference)):
            return found
        match wanted.verb:
            case "authorise":
                return provider.authorise(wanted.order)
            case "save_method":
                return provider.save_method(wanted.order)
            case _:
                return provider.authorise_saved(wanted.order)

    def settle(self, tx: Transaction, payment_id: UUID) -> Settling | None:
        """The next step of a payment for which it is decided what the client owes."""
        state = tx.load(PAYMENT, payment_id).state
        step = settling.next_step(state)
        if step is None or isinstance(state, model.Unpaid):
            return None
        config = self.load_config(tx)
        return Settling(config, state.request.provider, step, state.request)

    def take_step(self, wanted: Settling, work: Work) -> Result:
        """Put the step to the provider; its key is the step's own, so that it has one effect however often it is asked."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        try:
            match wanted.step:
                case settling.Capture(held, amount, key):
                    return provider.capture(held.reference, amount, key)
                case settling.LetGo(held, key):
                    return provider.void(held.reference, key)
                case settling.GiveBack(asked, reference, before):
                    if work.lease_no > 1 and provider.fetch(reference).refunded >= before + asked.amount:
                        return Refund(reference, asked.amount)  # by an earlier try, whose key it may have forgotten (hard case 8)
                    return provider.refund(reference, asked.amount, str(asked.id))
                case settling.Charge(attempt, amount, customer, method):
                    if work.lease_no > 1 and (found := _asked_before(provider, str(attempt))):
                        return _standing(found)
                    order = self._order(
                        wanted.config, wanted.request, str(attempt), amount, method, Customer(wanted.request.client_id, customer)
                    )
                    return _standing(provider.authorise_saved(order))
        except Declined as refusal:
            if refusal.reason == "already_captured" and isinstance(wanted.step, settling.Capture | settling.LetGo):
                return provider.fetch(wanted.step.held.reference)
            return refusal
        except ActionRequired as question:
            return Declined("authentication_required", reference=question.reference)

    def end_attempt(self, wanted: Stray, work: Work) -> None:
        """End whatever an attempt that was given up still holds; the provider may never have seen it."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        if found := provider.find_by_reference(wanted.order_reference):
            provider.void(found.reference, work.key)

    def answer(self, wanted: Answering, work: Work) -> Declined | None:
        """Send the evidence; what was sent already is success."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        try:
            provider.submit_evidence(wanted.reference, wanted.evidence, work.key)
        except Declined as refusal:
            return refusal
        return None

    def look_around(self, wanted: Reconciling, work: Work) -> list[ProviderPayment]:
        """The payments that are watched, and those that have changed there since, as the provider sees them now."""
        seen: dict[str, ProviderPayment] = {}
        for name, references in wanted.watched.items():
            provider = self.providers.named(wanted.config, "payments", name)
            unpriced = wanted.without_fee.get(name, ()) if provider.capabilities.fees else ()
            for reference in dict.fromkeys([*provider.list_changed_since(wanted.since), *references, *unpriced]):
                with suppress(Declined):
                    seen[reference] = provider.fetch(reference)
        return list(seen.values())

    def forget(self, wanted: Forget, work: Work) -> None:
        """Keep the card no longer; forgotten already is success."""
        self.providers.named(wanted.config, "payments", wanted.provider).forget_method(wanted.method)


def _asked_before(provider: PaymentProvider, order_reference: str) -> ProviderPayment | None:
    """The attempt where the bank was asked already; one that is only begun is asked for again, and goes on."""
    found = provider.find_by_reference(order_reference)
    return found if found and found.status is not PaymentStatus.BEGUN else None


def _standing(found: ProviderPayment) -> ProviderPayment | Declined:
    """The attempt where it stands, or why it does not."""
    match found.status:
        case PaymentStatus.DECLINED:
            return Declined(found.reason or "card_declined", reference=found.reference)
        case PaymentStatus.ACTION_REQUIRED:
            return Declined("authentication_required", reference=found.reference)
        case PaymentStatus.VOIDED | PaymentStatus.EXPIRED:
            return Declined("expired", reference=found.reference)
    return found


def about(tx: Transaction, work: Work) -> tuple[UUID, str] | None:
    """The booking that work for a payment is about, and who is asked."""
    row = queries.find(tx, work.stream_id)
    return (row.consultation_id, "payments") if row else None


def card_saved(request: model.Requested, found: ProviderPayment) -> model.CardSaved:
    """The event for a card that the provider has kept."""
    assert found.method is not None and request.authorise_at is not None
    return model.CardSaved(
        request.attempt, request.client_id, request.provider, found.method.customer, found.method.reference, found.method.label,
        request.authorise_at,
    )  # fmt: skip


def authorised(request: model.Requested, attempt: UUID, found: ProviderPayment) -> model.Authorised:
    """The event for an amount that the provider holds."""
    assert found.method is not None and found.capture_before is not None
    return model.Authorised(
        attempt, request.client_id, request.provider, found.reference, found.amount, found.capture_before,
        found.method.customer, found.method.reference, found.method.label,
    )  # fmt: skip
