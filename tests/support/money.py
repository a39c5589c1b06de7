"""What the tests about money do and look at, over and over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from fxo.core import settlement
from fxo.core.ids import new_id
from fxo.core.ledger import commands as payouts
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, ROLES, Actor, ActorKind
from fxo.core.work import routine
from fxo.core.work.perform import Outcome
from fxo.plugins.payments_sandbox.provider import Sandbox
from tests.support.flow import FAILS_LATER, WORKS
from tests.support.story import Story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DISPUTED, LOST, SHORT = "4000 0000 0000 0259", "4000 0000 0000 2685", "4000 0000 0000 2024"
PRICE, HALF, NOTHING = Money(80_000, "USD"), Money(40_000, "USD"), Money(0, "USD")
OPERATOR = Actor(new_id(), ActorKind.OPERATOR, ROLES["operator"])


def owes(told: Story, booked: UUID, fee: Money, reason: str = "cancelled") -> None:
    """It is decided what the client owes, as an event of the consultation would."""
    told.run(CODE, payments.keep_fee, payment_id_of(booked), fee, reason)
    told.work()


def done(told: Story, number: str = WORKS, ahead: timedelta = 2 * DAY, partner: str = "dana") -> UUID:
    """A session that was completed and paid."""
    starts_at = told.ahead(ahead)
    booked = told.book(partner, starts_at, number)
    told.live_until(starts_at)
    told.complete(booked, partner)
    told.live(MINUTE)
    return booked


def decides(told: Story, command: Any, booked: UUID, *args: Any) -> None:
    told.run(OPERATOR, command, payment_id_of(booked), *args)
    told.work()


def reconcile(told: Story) -> None:
    """A few minutes pass, the sweeper lets the regular work fall due, and it is done."""
    told.sleep_until(told.now + 6 * MINUTE)
    routine.hand_out(told.parts.store, settlement.ROUTINES, lambda tenant_id, work_id: None)
    told.work()


def agreed(told: Story) -> list[Any]:
    """What a check of all books finds."""
    routine.hand_out(told.parts.store, settlement.ROUTINES, lambda tenant_id, work_id: None)
    [(work_id,)] = told.rows(
        "update work set state = 'due', due_at = created_at where kind = 'ledger.check' and tenant_id = %(t)s returning id",
        t=told.config.id,
    )
    assert told.perform(work_id) is Outcome.DONE
    [(found,)] = told.rows(
        "select differences from ledger_checks where tenant_id = %(t)s order by at desc limit 1", t=told.config.id
    )
    return list(found)


def balances(told: Story) -> dict[str, int]:
    found = told.rows("select account, sum(amount_minor)::bigint from postings group by 1 having sum(amount_minor) <> 0")
    return {account: int(minor) for account, minor in found}


def sandbox(told: Story) -> Sandbox:
    provider: Any = Sandbox(told.parts.providers.context(told.config, "payments_sandbox"))
    return provider  # type: ignore[no-any-return]


def reference(told: Story, booked: UUID) -> str:
    [(found,)] = told.rows("select provider_reference from payments where consultation_id = %(id)s", id=booked)
    return str(found)


def refused(told: Story) -> UUID:
    """A session that took place, whose hold has lapsed, and whose saved card is refused."""
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at, FAILS_LATER)
    told.live_until(starts_at)
    told.sleep_until(starts_at + 6 * DAY)  # nobody works, so that not even the day after the end completes it
    told.complete(booked, "dana")
    told.live(MINUTE)
    return booked


def paid_out(told: Story) -> list[UUID]:
    planned: list[UUID] = told.run(OPERATOR, payouts.plan, told.config, "payments_sandbox")
    told.work()
    return planned
