"""Every step of the money and of changed plans, and a worker that dies before, after and behind it: it has happened once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from fxo.core.payments import commands as payments
from fxo.core.work.model import Work
from tests.support.flow import WORKS
from tests.support.money import (
    DAY,
    DISPUTED,
    HALF,
    HOUR,
    MINUTE,
    SHORT,
    agreed,
    decides,
    done,
    paid_out,
    reconcile,
    reference,
    refused,
    sandbox,
)  # fmt: skip
from tests.support.story import Story, story

STEPS = ("before_act", "acted", "recorded")


class Killed(BaseException):
    """The process died."""


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        made.parts.performer.lease = timedelta(milliseconds=1)
        yield made


@dataclass(frozen=True)
class Scene:
    """How it comes to this work, and what there is once it is done."""

    lead: Callable[[Story], Any]
    events: dict[str, int]
    effects: dict[str, int]
    mails: dict[str, int] = field(default_factory=dict)


def escalated(told: Story) -> None:
    refused(told)
    told.live(4 * DAY)


def reauthorised(told: Story) -> None:
    starts_at = told.ahead(2 * DAY + 12 * HOUR)
    told.book("dana", starts_at, SHORT)
    told.live_until(starts_at)


def forgotten(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    told.book("dana", starts_at)
    told.live_until(starts_at + 5 * DAY)


def answered(told: Story) -> None:
    booked = done(told, DISPUTED)
    reconcile(told)
    decides(told, payments.answer_dispute, booked, "All as it should be.")


def unanswered(told: Story) -> None:
    done(told, DISPUTED)
    reconcile(told)
    told.live(6 * DAY)


def found(told: Story) -> None:
    booked = done(told)
    sandbox(told).refund(reference(told, booked), HALF, "at the provider's own desk")
    reconcile(told)


def paid(told: Story) -> None:
    done(told, WORKS)
    paid_out(told)


def taken_back(told: Story) -> None:
    booked = done(told)
    paid_out(told)
    decides(told, payments.refund, booked, HALF, "Goodwill.")


def unasked(told: Story) -> None:
    told.rows("update tenants set asks_first = true where id = %(t)s returning id", t=told.config.id)
    told.of(told.parts.records.by_slug(told.config.slug), told.client).book("dana", told.ahead(2 * DAY))
    told.live(DAY)


def left_alone(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    told.book("dana", starts_at)
    told.live_until(starts_at + DAY + HOUR)


def awaited(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.arrive(booked, told.client)
    told.live_until(starts_at + 10 * MINUTE)


def not_rescued(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.cancel(booked, by=told.partner("dana"), reason="ill")
    told.live(2 * HOUR)


def moved(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.move(booked, told.ahead(12 * DAY))
    told.work()


SCENES: dict[str, Scene] = {
    "payments.escalate": Scene(escalated, {"payment.needs_person": 1}, {}),
    "payments.reauthorise": Scene(reauthorised, {"payment.authorised": 2}, {"hold": 2, "void": 1}),
    "payments.watch_hold": Scene(forgotten, {"payment.authorised": 1}, {"hold": 1}),
    "payments.issue_receipt": Scene(done, {"payment.receipt_issued": 1}, {"capture": 1}),
    "payments.submit_evidence": Scene(answered, {"payment.evidence_sent": 1}, {"evidence": 1}),
    "payments.watch_dispute": Scene(unanswered, {"payment.disputed": 1}, {"evidence": 0}),
    "payments.reconcile": Scene(found, {"payment.refunded": 1}, {"refund": 1}),
    "payouts.transfer": Scene(paid, {"payout.paid": 1}, {"transfer": 1}),
    "payouts.take_back": Scene(taken_back, {"payout.reversed": 1}, {"reversal": 1}),
    "ledger.check": Scene(agreed, {}, {}),
    "payments.replan": Scene(moved, {"payment.replanned": 1}, {"hold": 1}),
    "consultations.lapse": Scene(unasked, {"consultation.request_ended": 1}, {"hold": 0}, {"request_ended_client": 1}),
    "consultations.conclude": Scene(left_alone, {"consultation.completed": 1}, {"capture": 1}),
    "consultations.look_who_came": Scene(awaited, {}, {"hold": 1}, {"expert_late_client": 1, "client_waits_partner": 1}),
    "consultations.end_rescue": Scene(not_rescued, {"consultation.rescue_ended": 1}, {"void": 1}),
}
"""By kind of work; `test_killed_workers` has the others."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", SCENES)
def test_whoever_dies_over_it_it_happens_once(told: Story, kind: str, step: str) -> None:
    scene = SCENES[kind]
    killed_over(told, kind, step, scene.lead)
    for name, number in scene.events.items():
        assert told.rows("select count(*) from events where type = %(n)s", n=name) == [(number,)], name
    for name, number in scene.effects.items():
        assert told.effects().count(name) == number, name
    for name, number in scene.mails.items():
        assert len(told.mails(name)) == number, name
    reconcile(told)
    assert agreed(told) == []


def killed_over(told: Story, kind: str, step: str, lead: Callable[[Story], Any]) -> None:
    """What leads to the work, the death over it, and what others make of what is left."""
    lives = [1]

    def die(now: str, work: Work) -> None:
        if (now, work.kind) == (step, kind) and lives:
            lives.pop()
            raise Killed

    told.parts.performer.probe = die
    with pytest.raises(Killed):
        lead(told)
    told.work()
    told.live(MINUTE)
    assert told.dead() == []
