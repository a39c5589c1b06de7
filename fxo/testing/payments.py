"""What every payment provider must hold to: a suite of tests to inherit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from fxo.core.errors import ActionRequired, Declined
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments.port import Customer, Order, PaymentProvider, PaymentStatus, ProviderPayment, SavedMethod

PRICE = Money(80_000, "USD")


@dataclass(frozen=True, slots=True)
class PaymentWorld:
    """What stands outside the provider in a test: cards as the card field would hand them over, the client's bank, time."""

    good: str
    """A card that always works."""
    declined: str
    """A card that the bank refuses: `Declined('card_declined')`."""
    challenged: str
    """A card whose bank asks the client to confirm while they are present."""
    challenged_off_session: str
    """A card that can be saved, and whose bank insists on the client when they are away."""
    confirm: Callable[[str], None]
    """Acts as the client who confirms at the bank's page: takes the `url` of `ActionRequired`."""
    pass_time: Callable[[timedelta], None]
    """Moves business time forward, as the provider sees it."""
    now: Callable[[], datetime]
    """Business time, as the provider sees it."""
    webhooks: Callable[[], Sequence[tuple[Mapping[str, str], bytes]]]
    """The signed messages, headers and body, that the provider has sent so far."""
    onboard: Callable[[UUID], None] = lambda partner_id: None
    """Acts as the partner who has finished the provider's onboarding."""


class PaymentContract:
    """The tests that each payment provider passes. Inherit, and give the two fixtures::

        from fxo.testing import PaymentContract, PaymentWorld

        class TestPaymentsAcme(PaymentContract):
            @pytest.fixture
            def provider(self):
                return AcmePayments(context("payments_acme", settings=Settings(key="test")))

            @pytest.fixture
            def world(self, acme):
                return PaymentWorld(good="tok_visa", declined="tok_declined", ..., webhooks=acme.sent)

    Everything runs against the provider's own test mode or its simulator; nothing is patched.
    """

    @pytest.fixture
    def provider(self) -> PaymentProvider:
        raise NotImplementedError("give a fixture `provider`")

    @pytest.fixture
    def world(self) -> PaymentWorld:
        raise NotImplementedError("give a fixture `world`")

    @staticmethod
    def order(method: str, amount: Money = PRICE, *, customer: Customer | None = None) -> Order:
        """A new attempt with a reference of its own."""
        return Order(
            reference=f"order-{new_id()}",
            amount=amount,
            customer=customer or Customer(new_id()),
            method=method,
            description="60-minute session",
            return_url="https://acme.example/book/return",
        )

    def saved(self, provider: PaymentProvider, world: PaymentWorld, card: str, amount: Money = PRICE) -> Order:
        """Save the card, confirming it where its bank asks, and return the order that charges it off-session."""
        customer = Customer(new_id())
        try:
            method = provider.save_method(self.order(card, amount, customer=customer)).method
        except ActionRequired as asked:
            world.confirm(asked.url)
            method = provider.fetch(asked.reference).method
        assert method is not None
        return self.order(method.reference, amount, customer=Customer(customer.person_id, method.customer))

    # Before the page takes a card.

    def test_every_authorisation_window_is_a_positive_time(self, provider: PaymentProvider) -> None:
        windows = provider.windows()
        assert all(getattr(windows, field.name) > timedelta(0) for field in fields(windows))

    def test_the_card_field_is_one_module_with_explicit_sources(self, provider: PaymentProvider) -> None:
        setup = provider.client_setup()
        assert setup.module_url.startswith(("/", "https://"))
        for directive, sources in setup.csp_sources.items():
            assert directive.endswith("-src")
            assert not {"*", "'unsafe-inline'", "'unsafe-eval'"} & set(sources)

    # Holding money with the client present.

    def test_authorising_holds_the_amount_and_takes_nothing(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        order = self.order(world.good)
        payment = provider.authorise(order)
        assert payment.status is PaymentStatus.AUTHORISED
        assert payment.order_reference == order.reference
        assert (payment.amount, payment.captured.minor, payment.refunded.minor) == (PRICE, 0, 0)

    def test_an_authorisation_says_until_when_it_can_be_captured(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = provider.authorise(self.order(world.good))
        assert payment.capture_before is not None
        assert payment.capture_before.tzinfo is not None
        assert payment.capture_before > world.now()

    def test_authorising_keeps_the_card_under_a_label_without_its_number(
        self, provider: PaymentProvider, world: PaymentWorld
    ) -> None:
        method = provider.authorise(self.order(world.good)).method
        assert method is not None
        assert method.reference and method.customer and method.label
        assert sum(character.isdigit() for character in method.label) <= 4

    def test_the_same_order_again_is_the_same_payment(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        order = self.order(world.good)
        assert provider.authorise(order).reference == provider.authorise(order).reference

    def test_two_orders_of_one_client_are_two_payments(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        customer = Customer(new_id())
        first, second = (provider.authorise(self.order(world.good, customer=customer)) for _ in range(2))
        assert first.reference != second.reference

    def test_a_refused_card_is_declined_with_a_reason(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        with pytest.raises(Declined) as refusal:
            provider.authorise(self.order(world.declined))
        assert refusal.value.reason == "card_declined"

    def test_a_declined_order_stays_declined(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        order = self.order(world.declined)
        for _ in range(2):
            with pytest.raises(Declined):
                provider.authorise(order)

    def test_an_amount_without_decimals_is_held_as_it_is(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        yen = Money(120_000, "JPY")
        assert provider.authorise(self.order(world.good, yen)).amount == yen

    # The bank asks the client.

    def challenge(self, provider: PaymentProvider, order: Order) -> ActionRequired:
        with pytest.raises(ActionRequired) as asked:
            provider.authorise(order)
        return asked.value

    def test_a_challenge_names_a_page_and_holds_nothing_yet(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        asked = self.challenge(provider, self.order(world.challenged))
        payment = provider.fetch(asked.reference)
        assert asked.url.startswith(("https://", "http://", "/"))
        assert payment.status is PaymentStatus.ACTION_REQUIRED
        assert payment.captured.minor == 0

    def test_the_same_order_again_is_the_same_challenge(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        order = self.order(world.challenged)
        assert self.challenge(provider, order).reference == self.challenge(provider, order).reference

    def test_once_confirmed_the_challenged_order_is_authorised(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        order = self.order(world.challenged)
        asked = self.challenge(provider, order)
        world.confirm(asked.url)
        assert provider.fetch(asked.reference).status is PaymentStatus.AUTHORISED
        assert provider.authorise(order).reference == asked.reference

    # Saving a card, and holding money while the client is away.

    def test_saving_a_card_holds_no_money(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = provider.save_method(self.order(world.good))
        assert payment.status is PaymentStatus.SAVED
        assert payment.captured.minor == 0
        assert payment.method is not None

    def test_saving_a_refused_card_is_declined(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        with pytest.raises(Declined):
            provider.save_method(self.order(world.declined))

    def test_a_saved_card_is_charged_without_the_client(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = provider.authorise_saved(self.saved(provider, world, world.good))
        assert payment.status is PaymentStatus.AUTHORISED
        assert payment.capture_before is not None and payment.capture_before > world.now()

    def test_a_card_kept_by_an_authorisation_is_charged_without_the_client(
        self, provider: PaymentProvider, world: PaymentWorld
    ) -> None:
        customer = Customer(new_id())
        method = provider.authorise(self.order(world.good, customer=customer)).method
        assert method is not None
        again = self.order(method.reference, customer=Customer(customer.person_id, method.customer))
        assert provider.authorise_saved(again).status is PaymentStatus.AUTHORISED

    def test_a_bank_that_insists_on_the_client_declines_off_session(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        order = self.saved(provider, world, world.challenged_off_session)
        with pytest.raises(Declined) as refusal:
            provider.authorise_saved(order)
        assert refusal.value.reason == "authentication_required"

    # Forgetting a card.

    def test_a_forgotten_card_is_charged_no_more_and_what_was_held_on_it_stays(
        self, provider: PaymentProvider, world: PaymentWorld
    ) -> None:
        customer = Customer(new_id())
        held = provider.authorise(self.order(world.good, customer=customer))
        assert held.method is not None
        known = Customer(customer.person_id, held.method.customer)
        for _ in range(2):  # forgotten already is success
            provider.forget_method(held.method)
        with pytest.raises(Declined):
            provider.authorise_saved(self.order(held.method.reference, customer=known))
        assert provider.fetch(held.reference).status is PaymentStatus.AUTHORISED
        assert provider.capture(held.reference, PRICE, f"capture-{new_id()}").captured == PRICE

    def test_forgetting_a_card_that_nobody_keeps_is_success(self, provider: PaymentProvider) -> None:
        provider.forget_method(SavedMethod("customer-of-nobody", "card-of-nobody", "Visa ending 0000"))

    # Looking up: the truth, by either reference.

    def test_a_payment_is_found_by_our_reference_and_by_the_provider_s(
        self, provider: PaymentProvider, world: PaymentWorld
    ) -> None:
        order = self.order(world.good)
        payment = provider.authorise(order)
        assert provider.fetch(payment.reference).order_reference == order.reference
        found = provider.find_by_reference(order.reference)
        assert found is not None and found.reference == payment.reference

    def test_an_order_the_provider_never_saw_is_none(self, provider: PaymentProvider) -> None:
        assert provider.find_by_reference(f"order-{new_id()}") is None

    def test_what_changed_is_listed_for_the_reconciler(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        before = world.now() - timedelta(seconds=1)
        payment = provider.authorise(self.order(world.good))
        assert payment.reference in provider.list_changed_since(before)
        assert payment.reference not in provider.list_changed_since(world.now() + timedelta(days=1))

    # Taking money.

    def held(self, provider: PaymentProvider, world: PaymentWorld) -> ProviderPayment:
        return provider.authorise(self.order(world.good))

    def captured(self, provider: PaymentProvider, world: PaymentWorld) -> ProviderPayment:
        return provider.capture(self.held(provider, world).reference, PRICE, f"capture-{new_id()}")

    def test_capturing_takes_the_amount(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.captured(provider, world)
        assert (payment.status, payment.captured) == (PaymentStatus.CAPTURED, PRICE)

    def test_capturing_twice_takes_the_money_once(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment, key = self.held(provider, world), f"capture-{new_id()}"
        for used in (key, key, f"capture-{new_id()}"):
            assert provider.capture(payment.reference, PRICE, used).captured == PRICE
        assert provider.fetch(payment.reference).captured == PRICE

    def test_part_of_what_is_held_can_be_captured(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        if not provider.capabilities.partial_capture:
            pytest.skip("this provider captures all or nothing, and says so")
        half = Money(40_000, "USD")
        payment = provider.capture(self.held(provider, world).reference, half, f"capture-{new_id()}")
        assert (payment.status, payment.captured) == (PaymentStatus.CAPTURED, half)

    def test_more_than_is_held_is_never_captured(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.held(provider, world)
        with pytest.raises(Declined):
            provider.capture(payment.reference, PRICE + Money(1, "USD"), f"capture-{new_id()}")
        assert provider.fetch(payment.reference).captured.minor == 0

    # What the provider keeps.

    def test_nothing_is_kept_of_what_is_only_held(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        assert self.held(provider, world).fee in (None, Money(0, PRICE.currency))

    def test_the_fee_of_what_was_taken_is_told_within_an_hour_and_is_the_same_ever_after(
        self, provider: PaymentProvider, world: PaymentWorld
    ) -> None:
        if not provider.capabilities.fees:
            pytest.skip("this provider does not tell its fees, and says so")
        payment = self.captured(provider, world)
        world.pass_time(timedelta(hours=1))
        fee = provider.fetch(payment.reference).fee
        assert fee is not None and fee.currency == PRICE.currency and 0 <= fee.minor <= PRICE.minor
        assert payment.fee in (None, fee)
        assert provider.fetch(payment.reference).fee == fee

    def test_after_a_refund_the_provider_still_tells_what_it_keeps(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        if not provider.capabilities.fees:
            pytest.skip("this provider does not tell its fees, and says so")
        payment = self.captured(provider, world)
        world.pass_time(timedelta(hours=1))
        before = provider.fetch(payment.reference).fee
        provider.refund(payment.reference, PRICE, f"refund-{new_id()}")
        world.pass_time(timedelta(hours=1))
        after = provider.fetch(payment.reference).fee
        assert before is not None and after is not None and after.minor >= 0

    # Ending a hold.

    def test_a_voided_hold_cannot_be_captured(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.held(provider, world)
        assert provider.void(payment.reference, f"void-{new_id()}").status is PaymentStatus.VOIDED
        with pytest.raises(Declined):
            provider.capture(payment.reference, PRICE, f"capture-{new_id()}")

    def test_voiding_twice_is_success(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment, key = self.held(provider, world), f"void-{new_id()}"
        for used in (key, key, f"void-{new_id()}"):
            assert provider.void(payment.reference, used).status is PaymentStatus.VOIDED

    def test_voiding_never_touches_captured_money(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.captured(provider, world)
        with suppress(Declined):  # refusing and telling how it stands are both right
            provider.void(payment.reference, f"void-{new_id()}")
        after = provider.fetch(payment.reference)
        assert (after.status, after.captured, after.refunded.minor) == (PaymentStatus.CAPTURED, PRICE, 0)

    def test_a_hold_that_ran_out_is_expired_and_cannot_be_captured(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.held(provider, world)
        assert payment.capture_before is not None
        world.pass_time(payment.capture_before - world.now() + timedelta(minutes=1))
        assert provider.fetch(payment.reference).status is PaymentStatus.EXPIRED
        with pytest.raises(Declined):
            provider.capture(payment.reference, PRICE, f"capture-{new_id()}")
        provider.void(payment.reference, f"void-{new_id()}")

    # Giving money back.

    def test_a_refund_gives_back_part_of_what_was_captured(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        if not provider.capabilities.partial_refund:
            pytest.skip("this provider refunds all or nothing, and says so")
        payment = self.captured(provider, world)
        part = Money(30_000, "USD")
        assert provider.refund(payment.reference, part, f"refund-{new_id()}").amount == part
        provider.refund(payment.reference, PRICE - part, f"refund-{new_id()}")
        assert provider.fetch(payment.reference).refunded == PRICE

    def test_a_refund_is_made_once_for_its_key(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment, key = self.captured(provider, world), f"refund-{new_id()}"
        first, again = (provider.refund(payment.reference, PRICE, key) for _ in range(2))
        assert first == again
        assert provider.fetch(payment.reference).refunded == PRICE

    def test_more_than_was_captured_is_never_refunded(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.captured(provider, world)
        with pytest.raises(Declined) as refusal:
            provider.refund(payment.reference, PRICE + Money(1, "USD"), f"refund-{new_id()}")
        assert refusal.value.reason == "over_refund"
        assert provider.fetch(payment.reference).refunded.minor == 0

    # Paying partners.

    def test_a_transfer_is_made_once_for_its_key(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        if not provider.capabilities.transfers:
            pytest.skip("this provider pays nobody out, and says so")
        partner, amount, key = new_id(), Money(64_000, "USD"), f"transfer-{new_id()}"
        world.onboard(partner)
        first, again = (provider.transfer(partner, amount, key) for _ in range(2))
        assert first == again
        assert first.amount == amount

    def test_a_transfer_is_taken_back_once_for_its_key(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        if not provider.capabilities.transfers:
            pytest.skip("this provider pays nobody out, and says so")
        partner, amount, key = new_id(), Money(64_000, "USD"), f"reverse-{new_id()}"
        world.onboard(partner)
        transfer = provider.transfer(partner, amount, f"transfer-{new_id()}")
        first, again = (provider.reverse_transfer(transfer.reference, amount, key) for _ in range(2))
        assert first == again
        with pytest.raises(Declined):
            provider.reverse_transfer(transfer.reference, amount, f"reverse-{new_id()}")

    def test_a_partner_is_onboarded_on_a_page_of_the_provider(self, provider: PaymentProvider) -> None:
        if not provider.capabilities.transfers:
            pytest.skip("this provider pays nobody out, and says so")
        url = provider.payout_onboarding(new_id(), "https://partners.example/earnings")
        assert url.startswith(("https://", "http://"))

    # What the provider sends.

    def test_signed_messages_name_what_changed(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        payment = self.captured(provider, world)
        notices = [notice for headers, body in world.webhooks() for notice in provider.read_webhook(headers, body)]
        mine = [notice for notice in notices if notice.reference == payment.reference]
        assert mine
        assert {notice.order_reference for notice in mine} <= {payment.order_reference, None}
        assert all(notice.event_id and notice.kind and notice.at.tzinfo is not None for notice in mine)

    def test_each_message_has_an_id_of_its_own(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        self.captured(provider, world)
        notices = [notice.event_id for headers, body in world.webhooks() for notice in provider.read_webhook(headers, body)]
        assert len(notices) == len(set(notices))

    def test_a_forged_message_is_declined(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        self.captured(provider, world)
        headers, body = world.webhooks()[-1]
        for forged_headers, forged_body in (({}, body), (headers, body + b" "), (headers, b"{}"), (headers, b"\xff")):
            with pytest.raises(Declined) as refusal:
                provider.read_webhook(forged_headers, forged_body)
            assert refusal.value.reason == "bad_signature"

    def test_evidence_without_a_dispute_is_declined(self, provider: PaymentProvider, world: PaymentWorld) -> None:
        if not provider.capabilities.disputes:
            pytest.skip("this provider answers no disputes, and says so")
        payment = self.captured(provider, world)
        with pytest.raises(Declined) as refusal:
            provider.submit_evidence(
                payment.reference, {"held": datetime(2026, 1, 5, tzinfo=UTC).isoformat()}, f"evidence-{new_id()}"
            )
        assert refusal.value.reason == "no_dispute"
