"""How a payment follows a booking that is moved, is booked only later, or is kept by another expert. Pure."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fxo.core.errors import Conflict
from fxo.core.payments.model import Authorisation, HandedOver, Replanned, Requested, Saved, State
from fxo.core.payments.plan import Mode, Plan


def replan(state: State, plan: Plan) -> list[object]:
    """The card is to be authorised at the plan's times: it was saved and not authorised yet, or what is held does not reach to
    the last capture of the session as it is now. What reaches far enough stays: nothing (hard case 18).
    """
    if plan.authorise_at is None or plan.retry_at is None or plan.give_up_at is None:
        return []
    times = Replanned(plan.authorise_at, plan.retry_at, plan.give_up_at)
    match state:
        case Authorisation(held=held, due=None) if held.capture_before < plan.capture_by:
            return [times]
        case Saved(request) if (request.authorise_at, request.retry_at, request.give_up_at) != (
            times.authorise_at, times.retry_at, times.give_up_at,
        ):  # fmt: skip
            return [times]
    return []


def hand_over(state: State, payment_id: UUID) -> list[object]:
    """What is held, or the saved card, goes with the booking that stands in."""
    match state:
        case Authorisation(due=None) | Saved(changing=None):
            return [HandedOver(payment_id)]
    raise Conflict("The payment of this session can no longer be used for another one.", code="no_rescue")


def take_over(state: State, wanted: Requested) -> list[object]:
    """What the new payment begins with, given the one that is handed over: the same hold, or the same saved card, at the same
    provider and through the same account.

    `wanted` has the times of a plan for a saved card; they count where nothing is held.
    """
    if isinstance(state, Authorisation | Saved):
        wanted = replace(wanted, provider=state.request.provider, through=state.request.through)
    match state:
        case Authorisation(held=held):
            now = replace(wanted, mode=Mode.AUTHORISE_NOW, authorise_at=None, retry_at=None, give_up_at=None)
            return [now, held]
        case Saved(card=card):
            assert wanted.authorise_at is not None
            return [wanted, replace(card, attempt=wanted.attempt, authorise_at=wanted.authorise_at)]
    raise Conflict("The payment of this session can no longer be used for another one.", code="no_rescue")
