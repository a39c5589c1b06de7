"""What the payment provider keeps, and who bears it: from the setting of a tenant to experts' accounts and the books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fxo.core.errors import NotAllowed
from fxo.core.hookspecs import ProviderSpec
from fxo.core.ledger import commands as payouts
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments.port import PaymentCapabilities, ProviderPayment
from fxo.core.scope import FeeBearer, partner_scope, system_scope
from fxo.plugins.payments_sandbox.provider import Sandbox, Settings
from fxo.tenants import records
from tests.support.money import DAY, HALF, HOUR, MINUTE, OPERATOR, agreed, balances, decides, done, reconcile, reference, sandbox
from tests.support.plugins import plugin
from tests.support.story import DANA_MAIL, Story, story

PLATFORM, PARTNER, SHARED = FeeBearer.PLATFORM, FeeBearer.PARTNER, FeeBearer.SHARED
BORNE = {
    PLATFORM: {"provider": 77_650, "partner": -64_000, "platform": -16_000, "fees": 2_350},
    PARTNER: {"provider": 77_650, "partner": -61_650, "platform": -16_000},
    SHARED: {"provider": 77_650, "partner": -62_120, "platform": -16_000, "fees": 470},
}
"""The books after a session of $800, of which the provider keeps 2.9 percent and 30 cents."""


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases, sandbox_fee_rate=290, sandbox_fee_fixed=30) as made:
        yield made


def borne_by(told: Story, bearer: FeeBearer) -> Story:
    """The world after an operator has chosen this."""
    told.parts.store.run(system_scope("tenants"), OPERATOR, records.let_bear_fees, told.config.id, bearer)
    return told.of(told.parts.records.by_slug(told.config.slug), told.client)


def entries(told: Story) -> list[tuple[str, int, int]]:
    found = told.rows("select kind, amount_minor, fee_minor from partner_earnings order by earned_at, event_id")
    return [(kind, int(amount), int(fee)) for kind, amount, fee in found]


def priced(databases: Any, **settings: Any) -> Any:
    """A world whose card network has this tariff."""

    def made(context: Any) -> Sandbox:
        return Sandbox(replace(context, settings=Settings(fee_rate=290, fee_fixed=30, **settings)))

    def register() -> ProviderSpec:
        return ProviderSpec("payments_priced", "payments", made, settings=Settings)

    return story(databases, plugin("payments_priced", fxo_register_payment_provider=register))


@pytest.mark.parametrize("bearer", list(FeeBearer))
def test_case_20_the_providers_fee_is_borne_as_it_was_agreed(told: Story, bearer: FeeBearer) -> None:
    here = borne_by(told, bearer)
    booked = done(here)
    assert balances(here) == BORNE[bearer]
    [mail] = here.mails("payment_received_partner", to=DANA_MAIL)
    assert {PLATFORM: "$640", PARTNER: "$616.50", SHARED: "$621.20"}[bearer] in mail.subject
    assert ("$23.50" in mail.text, "$18.80" in mail.text) == (bearer is PARTNER, bearer is SHARED)
    decides(here, payments.refund, booked, HALF, "Half of it was lost.")
    decides(here, payments.refund, booked, HALF, "The other half, too.")
    fees = {name: minor for name, minor in BORNE[bearer].items() if name == "fees"}
    owed = {"partner": 2_350 - fees.get("fees", 0)} if bearer is not PLATFORM else {}
    assert balances(here) == {"provider": -2_350, **fees, **owed}, "the provider keeps it, and so who bears it goes on to"
    assert agreed(here) == []


def test_case_20_what_was_agreed_at_the_booking_counts_until_its_end(told: Story) -> None:
    early = told.book("dana", told.ahead(2 * DAY))
    here = borne_by(told, PARTNER)
    done(here, ahead=3 * DAY)
    [(starts_at,)] = here.rows("select starts_at from consultations where id = %(id)s", id=early)
    assert starts_at < here.now
    held = "select data ->> 'fee_bearer' from events where type = 'consultation.held' order by recorded_at"
    assert here.rows(held) == [("platform",), ("partner",)]
    here.live(2 * DAY)  # what nobody completed is completed by itself
    assert sorted(entries(here)) == [("earned", 61_650, 2_350), ("earned", 64_000, 0)]
    assert borne_by(here, PARTNER).config.fee_bearer is PARTNER, "chosen twice is chosen once"
    assert len(here.rows("select from events where type = 'tenant.fee_bearer_changed'")) == 1
    assert agreed(here) == []


def test_case_20_only_an_operator_chooses_who_bears_it(told: Story) -> None:
    with pytest.raises(NotAllowed):
        told.parts.store.run(system_scope("tenants"), told.client, records.let_bear_fees, told.config.id, PARTNER)
    told.parts.store.run(system_scope("tenants"), OPERATOR, records.pause, told.config.id, suspended=True)
    assert borne_by(told, SHARED).config.suspended, "one choice leaves the other alone"


def test_case_20_a_disputes_fee_is_borne_by_the_same(told: Story) -> None:
    here = borne_by(told, PARTNER)
    booked = done(here)
    sandbox(here).dispute(reference(here, booked))
    reconcile(here)
    assert entries(here) == [("earned", 61_650, 2_350), ("frozen", -65_500, 1_500)]
    sandbox(here).decide_dispute(reference(here, booked), won=True)
    reconcile(here)
    assert balances(here) == {"provider": 76_150, "partner": -60_150, "platform": -16_000}
    assert agreed(here) == []


def test_case_20_a_tenant_with_an_account_of_its_own_pays_the_provider_itself(told: Story) -> None:
    told.reconfigured(providers={"payments": ["payments_sandbox"]}, fee_rate=290, fee_fixed=30)
    own = borne_by(told, PARTNER)
    assert own.config.own_payment_account
    done(own)
    assert balances(own) == {"tenant": 77_650, "partner": -61_650, "platform": -16_000}
    assert agreed(own) == []


def test_case_20_a_fee_that_becomes_known_late_is_booked_once_and_set_off_against_the_next_payout(databases: Any) -> None:
    with priced(databases, fee_after=90) as told:
        told.reconfigured(providers={"payments": ["payments_priced"]})
        here = borne_by(told, PARTNER)
        booked = done(here)
        [mail] = here.mails("payment_received_partner", to=DANA_MAIL)
        assert "comes off as soon as it is known" in mail.text and "$640" in mail.subject
        here.run(OPERATOR, payouts.plan, here.config, "payments_priced")
        here.work()
        assert balances(here) == {"provider": 16_000, "platform": -16_000}
        assert agreed(here) == [], "what nobody knows yet is no difference"
        here.live(2 * HOUR)
        reconcile(here)
        reconcile(here)
        assert here.events(booked, "payment").count("payment.provider_fee_known") == 1
        assert balances(here) == {"provider": 13_650, "platform": -16_000, "partner": 2_350}
        done(here, ahead=3 * DAY)
        here.live(2 * HOUR)
        reconcile(here)
        assert entries(here)[1:] == [("fee", -2_350, 2_350), ("earned", 64_000, 0), ("fee", -2_350, 2_350)]
        here.run(OPERATOR, payouts.plan, here.config, "payments_priced")
        here.work()
        assert here.rows("select amount_minor from partner_payouts order by planned_at") == [(64_000,), (59_300,)]
        assert agreed(here) == []


@pytest.mark.parametrize("first", ["handed_over", "captured"])
def test_case_20_a_late_fee_is_of_the_booking_that_has_the_payment_now_and_not_of_the_one_it_went_from(
    databases: Any, first: str
) -> None:
    with priced(databases, fee_after=90) as made:
        told = made.reconfigured(providers={"payments": ["payments_priced"]})
        starts_at = told.ahead(DAY)
        left = told.book("dana", starts_at)
        told.cancel(left, by=told.partner("dana"))
        kept = told.stand_in(left, "ines", starts_at)
        told.live_until(starts_at + HOUR)
        told.complete(kept, "ines")
        told.live(2 * MINUTE)
        for other in ("'x' || provider_reference", "substr(provider_reference, 2)"):  # so that its row is found last
            told.rows(f"update payments set provider_reference = {other} where state <> %(first)s returning id", first=first)
        told.live(2 * HOUR)
        reconcile(told)
        assert told.events(kept, "payment").count("payment.provider_fee_known") == 1
        assert balances(told) == BORNE[PLATFORM]
        assert agreed(told) == []


def test_case_20_what_a_provider_gives_back_of_its_fee_goes_to_who_bore_it(databases: Any) -> None:
    with priced(databases, fee_returned=True) as told:
        told.reconfigured(providers={"payments": ["payments_priced"]})
        here = borne_by(told, SHARED)
        booked = done(here)
        for _ in range(3):
            decides(here, payments.refund, booked, Money(20_000, "USD"), "A quarter.")
        reconcile(here)
        assert balances(here) == {"provider": 19_412, "partner": -15_530, "platform": -4_000, "fees": 118}
        decides(here, payments.refund, booked, Money(20_000, "USD"), "The last one.")
        reconcile(here)
        assert balances(here) == {}
        assert agreed(here) == []


def test_a_provider_that_tells_no_fees_is_not_asked_for_them(databases: Any) -> None:
    asked: list[str] = []

    class Silent(Sandbox):
        capabilities = PaymentCapabilities(fees=False)

        def fetch(self, reference: str) -> ProviderPayment:
            asked.append(reference)
            return replace(super().fetch(reference), fee=None)

        def capture(self, reference: str, amount: Money, key: str) -> ProviderPayment:
            return replace(super().capture(reference, amount, key), fee=None)

    def register() -> ProviderSpec:
        return ProviderSpec("payments_silent", "payments", Silent, settings=Settings)

    with story(databases, plugin("payments_silent", fxo_register_payment_provider=register)) as told:
        here = told.reconfigured(providers={"payments": ["payments_silent"]})
        done(here)
        here.live(HOUR)
        reconcile(here)
        asked.clear()
        here.live(HOUR)
        reconcile(here)
        assert asked == []
        assert balances(here) == {"provider": 80_000, "partner": -64_000, "platform": -16_000}
        assert agreed(here) == []


def test_a_fee_that_the_books_do_not_have_is_a_difference_with_the_provider(told: Story) -> None:
    booked = done(told)
    told.rows("update payments set provider_fee_minor = 2000 where consultation_id = %(id)s returning 1", id=booked)
    kinds = {each["kind"] for each in agreed(told)}
    assert kinds == {"payment", "provider"}


def test_an_expert_reads_the_fee_in_their_statement(told: Story) -> None:
    here = borne_by(told, PARTNER)
    done(here)
    dana = here.partner("dana")
    with here.parts.store.transaction(partner_scope(dana.id), dana) as tx:
        [row], [entry] = ledger.statement(tx), ledger.entries(tx, None)
    assert (row.share, row.fee) == (Money(61_650, "USD"), Money(2_350, "USD"))
    assert (entry.amount, entry.fee) == (row.share, row.fee)
