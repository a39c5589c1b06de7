"""How the outside is made to agree with a payment: what to ask the provider, and asking it. What follows is `process`'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fxo.core.errors import ActionRequired, Declined
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.payments import model
from fxo.core.payments.model import PAYMENT, Asking, Authorisation, Saved
from fxo.core.payments.port import Customer, Order, PaymentProvider, PaymentStatus, ProviderPayment, SavedMethod
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
class Take:
    """Money to capture, or a hold to end; by our reference where the provider's was never learnt."""

    config: TenantConfig
    provider: str
    reference: str
    amount: Money
    order_reference: str | None = None


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

    def _ask(
        self, tx: Transaction, work: Work, request: model.Requested, verb: str, method: str, reference: str | None,
        customer: str | None = None,
    ) -> Ask:  # fmt: skip
        config = self.load_config(tx)
        if customer is None and (known := newest_card(tx, request.client_id, request.provider)):
            customer = known.customer
        order = Order(
            reference=work.key, amount=request.amount, method=method,
            customer=Customer(request.client_id, customer),
            description=f"{config.name}, 60-minute session",
            return_url=f"{config.portal_url}/book/{request.consultation_id}/return",
        )  # fmt: skip
        return Ask(config, request.provider, verb, order, request.consultation_id, reference)

    def ask(self, wanted: Ask, work: Work) -> Answer:
        """Put the attempt to the provider, or ask how it stands. Before a late retry it is looked up by our reference."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        try:
            found = self._put(provider, wanted, work)
        except (Declined, ActionRequired) as answer:
            return answer
        match found.status:
            case PaymentStatus.ACTION_REQUIRED:
                return ActionRequired(found.url or "", reference=found.reference)
            case PaymentStatus.DECLINED:
                return Declined(found.reason or "card_declined", reference=found.reference)
            case PaymentStatus.VOIDED | PaymentStatus.EXPIRED:
                return Declined("expired", reference=found.reference)
        return found

    def _put(self, provider: PaymentProvider, wanted: Ask, work: Work) -> ProviderPayment:
        if wanted.reference:
            return provider.fetch(wanted.reference)
        if work.lease_no > 1 and (found := provider.find_by_reference(wanted.order.reference)):
            return found
        match wanted.verb:
            case "authorise":
                return provider.authorise(wanted.order)
            case "save_method":
                return provider.save_method(wanted.order)
            case _:
                return provider.authorise_saved(wanted.order)

    def take(self, tx: Transaction, payment_id: UUID) -> Take | None:
        """What an authorised payment holds."""
        match tx.load(PAYMENT, payment_id).state:
            case Authorisation(request, held):
                return Take(self.load_config(tx), request.provider, held.reference, held.amount)
        return None

    def capture(self, wanted: Take, work: Work) -> ProviderPayment | Declined:
        """Take the money; one effect for the work's key, however often it is asked (hard case 8)."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        try:
            return provider.capture(wanted.reference, wanted.amount, work.key)
        except Declined as refusal:
            return refusal

    def void(self, wanted: Take, work: Work) -> ProviderPayment | None:
        """End a hold; None where the provider never saw the attempt."""
        provider = self.providers.named(wanted.config, "payments", wanted.provider)
        if wanted.order_reference is None:
            return provider.void(wanted.reference, work.key)
        found = provider.find_by_reference(wanted.order_reference)
        return provider.void(found.reference, work.key) if found else None

    def forget(self, wanted: Forget, work: Work) -> None:
        """Keep the card no longer; forgotten already is success."""
        self.providers.named(wanted.config, "payments", wanted.provider).forget_method(wanted.method)


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
