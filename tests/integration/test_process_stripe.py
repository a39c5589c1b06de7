"""The booking process with Stripe: book, hold, take, give back, pay out; and with Stripe gone in the middle of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from fxo.core.clock import system_now
from fxo.core.hookspecs import ProviderSpec
from fxo.core.ledger import commands as payouts
from fxo.core.payments import commands as payments
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE
from fxo.core.work import rows
from fxo.core.work.perform import Outcome
from fxo.plugins.payments_stripe.provider import Stripe
from fxo.plugins.payments_stripe.settings import Settings
from tests.emulators import stripe as emulators
from tests.emulators.stripe import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET
from tests.support.money import DAY, HALF, HOUR, MINUTE, OPERATOR, PRICE, agreed, balances, decides, reconcile
from tests.support.plugins import plugin
from tests.support.story import CLIENT_MAIL, Story, story

NAME = "payments_emulated"
GOOD, ASKS = "pm_card_visa", "pm_card_authenticationRequiredOnSetup"
SETTLED = ["consultation.held", "consultation.confirmed"]


class Platform(Settings):
    """The operator's own account, as if its settings were filled in."""

    publishable_key: str = PUBLISHABLE_KEY
    secret_key: SecretStr = SecretStr(SECRET_KEY)
    webhook_secret: SecretStr = SecretStr(WEBHOOK_SECRET)


class World:
    """The emulated company and the platform that uses it; they have one clock."""

    def __init__(self) -> None:
        self.told: Story
        self.company: emulators.Stripe

    def now(self) -> Any:
        [(ahead,)] = self.told.rows("select ahead from clock")
        return system_now() + ahead

    def ask(self, held: UUID, card: str = GOOD) -> UUID:
        """What checkout does with what the card field hands over."""
        name, provider = self.told.parts.providers.chain(self.told.config, "payments")[0]
        wanted, through = payments.Pay(held, card), payments.through_of(self.told.config)
        work_id: UUID = self.told.run(self.told.client, payments.request, wanted, name, provider.windows(), through)
        return work_id

    def book(self, ahead: timedelta = 2 * DAY, card: str = GOOD) -> UUID:
        held = self.told.hold("dana", self.told.ahead(ahead))
        self.told.perform(self.ask(held, card))
        return held

    def complete(self, booked: UUID) -> None:
        [(starts_at,)] = self.told.rows("select starts_at from consultations where id = %(id)s", id=booked)
        self.told.live_until(starts_at)
        self.told.complete(booked, "dana")

    def deliver(self, *, to: str = NAME, twice: bool = False, newest_first: bool = False) -> list[int]:
        """Every message so far, to the hooks host."""
        sent = self.company.messages() * (2 if twice else 1)
        if newest_first:
            sent.reverse()
        return [self.told.outside(f"http://hooks.localhost/{to}", data=body, headers=signed).status_code for signed, body in sent]

    def standing(self, kind: str, field: str) -> list[Any]:
        return [each[field] for each in self.company.of_kind(kind)]


@pytest.fixture
def world(databases: Any) -> Iterator[World]:
    made = World()
    with emulators.running(made.now) as made.company:

        def register() -> ProviderSpec:
            address = made.company.address
            return ProviderSpec(NAME, "payments", lambda context: Stripe(context, api=address), settings=Platform)

        with story(databases, plugin(NAME, fxo_register_payment_provider=register)) as told:
            made.told = told.reconfigured(providers={"payments": [NAME]})
            yield made
            made.told.parts.providers.context(made.told.config, NAME).http.close()


# From the slot to the receipt ---------------------------------------------------------------------------------------


def test_a_session_is_held_taken_partly_given_back_and_paid_out(world: World) -> None:
    told, company = world.told, world.company
    booked = world.book()
    assert told.events(booked, "consultation") == SETTLED
    assert told.payment(booked) == ("authorised", None)
    assert world.standing("payment_intent", "status") == ["requires_capture"]
    world.complete(booked)
    told.live(MINUTE)
    assert told.payment(booked)[0] == "captured"
    assert world.standing("charge", "amount_captured") == [PRICE.minor]
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    assert world.standing("refund", "amount") == [HALF.minor]
    provider = told.parts.providers.named(told.config, "payments", NAME)
    assert provider.payout_onboarding(told.partners["dana"], "https://partners.example/earnings").startswith("https://connect.")
    company.books.onboard(company.of_kind("account")[0]["id"])
    told.run(OPERATOR, payouts.plan, told.config, NAME)
    told.work()
    assert world.standing("transfer", "amount") == [32_000]
    assert "partner" not in balances(told)
    assert agreed(told) == []
    assert told.alarms() == [] and told.dead() == []


def test_a_session_further_ahead_keeps_the_card_and_holds_three_days_before(world: World) -> None:
    told = world.told
    booked = world.book(10 * DAY)
    assert told.payment(booked)[0] == "card_saved"
    assert world.standing("payment_intent", "id") == []
    [(starts_at,)] = told.rows("select starts_at from consultations where id = %(id)s", id=booked)
    told.live_until(starts_at - 3 * DAY + MINUTE)
    assert told.payment(booked) == ("authorised", None)
    world.complete(booked)
    told.live(MINUTE)
    assert world.standing("charge", "amount_captured") == [PRICE.minor]
    assert agreed(told) == []


def test_a_saved_card_that_its_bank_will_not_charge_is_asked_about(world: World) -> None:
    told = world.told
    held = told.hold("dana", told.ahead(10 * DAY))
    work_id = world.ask(held, "pm_card_authenticationRequired")
    assert told.perform(work_id) is Outcome.WAITING
    approve(world, held)
    told.run(CODE, rows.wake, work_id, offer=False)
    told.perform(work_id)
    assert told.payment(held)[0] == "card_saved"
    told.live(8 * DAY)
    assert told.payment(held)[1] == "authentication_required"
    assert told.kinds(CLIENT_MAIL)[-1].startswith("card_refused")
    assert world.standing("charge", "id") == []


def test_a_booking_that_is_cancelled_lets_go_what_is_held(world: World) -> None:
    told = world.told
    booked = world.book(3 * DAY)
    told.cancel(booked)
    told.work()
    assert told.payment(booked)[0] == "voided"
    assert world.standing("payment_intent", "status") == ["canceled"]
    assert agreed(told) == []


# The bank asks ------------------------------------------------------------------------------------------------------


def approve(world: World, held: UUID) -> None:
    [(url,)] = world.told.rows("select challenge_url from payments where consultation_id = %(id)s", id=held)
    world.company.books.answer_bank(url.rpartition("/")[2], "approve")


@pytest.mark.parametrize("newest_first", [False, True])
def test_messages_before_the_redirect_twice_and_in_any_order_book_once(world: World, newest_first: bool) -> None:
    """Hard case 7."""
    told = world.told
    held = told.hold("dana", told.ahead(2 * DAY))
    work_id = world.ask(held, ASKS)
    assert told.perform(work_id) is Outcome.WAITING
    approve(world, held)
    assert set(world.deliver(twice=True, newest_first=newest_first)) == {200}
    told.work()
    assert told.events(held, "consultation") == SETTLED
    assert told.events(held, "payment") == ["payment.requested", "payment.challenge_asked", "payment.authorised"]
    assert told.run(CODE, rows.wake, work_id) is False
    assert world.standing("charge", "captured") == [False]


def test_without_any_message_the_reconciler_finds_what_happened_at_stripe(world: World) -> None:
    told, company = world.told, world.company
    booked = world.book(card="pm_card_createDisputeProductNotReceived")
    world.complete(booked)
    told.live(MINUTE)
    reconcile(told)
    assert told.events(booked, "payment")[-1] == "payment.disputed"
    told.run(OPERATOR, payments.answer_dispute, payment_id_of(booked), "See the record.")
    told.work()
    [dispute] = company.of_kind("dispute")
    assert dispute["evidence_details"]["submission_count"] == 1
    assert "60-minute session" in dispute["evidence"]["product_description"]
    company.books.decide(dispute["payment_intent"], won=True)
    assert world.deliver()[-1] == 200
    told.work()
    assert told.events(booked, "payment")[-1] == "payment.dispute_won"
    assert agreed(told) == []


# Stripe is gone in the middle ---------------------------------------------------------------------------------------


def hold_back(world: World) -> UUID:
    """Up to the moment when Stripe is asked for something: nobody has booked yet."""
    return world.told.hold("dana", world.told.ahead(2 * DAY))


@pytest.mark.parametrize("fault", ["refused", "lost", "error", "patience"])
@pytest.mark.parametrize("where", ["customers", "payment_intents$", "confirm"])
def test_stripe_fails_while_the_card_is_asked_and_the_booking_still_stands(world: World, fault: str, where: str) -> None:
    told = world.told
    held = hold_back(world)
    world.company.fail(fault, where=where)
    told.perform(world.ask(held))
    assert told.payment(held)[0] == "requested", "never declined for want of an answer"
    told.live(2 * MINUTE)
    assert told.events(held, "consultation") == SETTLED
    assert world.standing("charge", "captured") == [False]
    assert told.alarms() == []


@pytest.mark.parametrize("fault", ["refused", "lost", "error"])
@pytest.mark.parametrize("where", ["GET /v1/payment_intents", "capture"])
def test_stripe_fails_while_the_money_is_taken_and_it_is_taken_once(world: World, fault: str, where: str) -> None:
    told = world.told
    booked = world.book()
    [(starts_at,)] = told.rows("select starts_at from consultations where id = %(id)s", id=booked)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    world.company.fail(fault, where=where)
    told.live(HOUR)
    assert world.company.faults == []
    assert told.payment(booked)[0] == "captured"
    assert told.events(booked, "payment").count("payment.captured") == 1
    assert world.standing("charge", "amount_captured") == [PRICE.minor]
    assert agreed(told) == []


@pytest.mark.parametrize("fault", ["refused", "lost", "error"])
def test_stripe_fails_while_money_is_given_back_and_it_is_given_once(world: World, fault: str) -> None:
    told = world.told
    booked = world.book()
    world.complete(booked)
    told.live(MINUTE)
    world.company.fail(fault, where="POST /v1/refunds")
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    told.live(HOUR)
    assert world.standing("refund", "amount") == [HALF.minor]
    assert told.events(booked, "payment").count("payment.refunded") == 1
    assert agreed(told) == []


def test_stripe_is_down_from_the_card_to_the_day_after_and_everything_ends_well(world: World) -> None:
    told, company = world.told, world.company
    booked = world.book()
    company.down = True
    world.complete(booked)
    told.live(2 * MINUTE)
    assert told.payment(booked)[0] == "authorised", "never shown as taken"
    company.down = False
    world.told = told = told.reconfigured(
        providers={"payments": [NAME]}, statement_suffix="SESSION"
    )  # a breaker counts real time
    told.live(6 * HOUR)
    assert told.payment(booked)[0] == "captured"
    assert world.standing("charge", "amount_captured") == [PRICE.minor]


def test_a_key_that_is_revoked_in_the_middle_takes_nothing_and_once_mended_everything(world: World) -> None:
    told, company = world.told, world.company
    booked = world.book()
    company.revoked = True
    world.complete(booked)
    told.live(2 * MINUTE)
    assert told.payment(booked)[0] == "authorised"
    assert world.standing("charge", "captured") == [False]
    assert told.alarms() == ["work.payments.settle"]
    company.revoked = False
    told.live(6 * HOUR)
    assert told.payment(booked)[0] == "captured"
    assert world.standing("charge", "amount_captured") == [PRICE.minor]


# A tenant's own account ---------------------------------------------------------------------------------------------


def test_a_tenant_s_own_account_has_an_address_and_a_secret_of_its_own(world: World) -> None:
    told = world.told
    secret = "whsec_of_the_tenant"
    platform = told.parts.providers.context(told.config, NAME)
    world.told = told = told.reconfigured(providers={"payments": [NAME]}, webhook_secret=secret)
    held = told.hold("dana", told.ahead(2 * DAY))
    work_id = world.ask(held, ASKS)
    told.perform(work_id)
    approve(world, held)
    event = world.company.books.events[-1]
    assert sent(world, f"{NAME}/{told.config.slug}", world.company.message(event)) == 403, "signed with the platform's secret"
    assert sent(world, NAME, world.company.message(event, secret=secret)) == 403
    assert sent(world, f"{NAME}/nobody", world.company.message(event, secret=secret)) == 404
    assert told.payment(held)[0] == "challenged"
    assert sent(world, f"{NAME}/{told.config.slug}", world.company.message(event, secret=secret)) == 200
    told.work()
    assert told.payment(held)[0] == "authorised"
    platform.http.close()


def sent(world: World, to: str, message: tuple[dict[str, str], bytes]) -> int:
    headers, body = message
    status: Callable[..., Any] = world.told.outside
    return int(status(f"http://hooks.localhost/{to}", data=body, headers=headers).status_code)
