"""The cards that a client keeps for next time: removing one. Pure; keeping one is part of a payment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id


@event("wallet.card_removed")
@dataclass(frozen=True, slots=True)
class CardRemoved:
    """The client wants this card to be kept no longer; `references` are all that the provider has of it."""

    client_id: UUID
    provider: str
    customer: str
    references: tuple[str, ...]
    label: str


WALLET = StreamType[None]("wallet", None, lambda state, happened: None)


def wallet_id_of(client_id: UUID) -> UUID:
    """The id of a client's wallet stream."""
    return derived_id(client_id, "wallet")
