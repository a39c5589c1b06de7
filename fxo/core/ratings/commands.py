"""What changes a rating: the client of a completed session gives or edits it (PRD FR-3.5), its expert answers."""

from __future__ import annotations

from uuid import UUID

from fxo.core.consultations import queries as consultations
from fxo.core.errors import Conflict, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ratings import model
from fxo.core.scope import ActorKind


def rate(tx: Transaction, consultation_id: UUID, stars: int, comment: str, *, public: bool) -> None:
    """Rate a session that is completed; by its client alone."""
    rating = tx.load(model.RATING, model.rating_id_of(consultation_id))
    session = consultations.find(tx, consultation_id)
    if tx.actor.kind is not ActorKind.MEMBER or session.client_id != tx.actor.id:
        raise NotFound("There is no such session here.")
    if session.state != "completed":
        raise Conflict("You can rate the session once it is completed.")
    wanted = model.Given(
        consultation_id, session.partner_id, session.client_id, stars, comment.replace("\x00", "").strip(), public
    )
    tx.append((rating, model.rate(rating.state, wanted)))


def answer(tx: Transaction, consultation_id: UUID, text: str) -> None:
    """Answer the rating of a session; by its expert alone."""
    rating = tx.load(model.RATING, model.rating_id_of(consultation_id))
    session = consultations.find(tx, consultation_id)
    if tx.actor.kind is not ActorKind.PARTNER or session.partner_id != tx.actor.id:
        raise NotFound("There is no such session here.")
    tx.append((rating, model.answer(rating.state, text.replace("\x00", "").strip())))
