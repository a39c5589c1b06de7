"""The portal: from a brief to a shortlist, a held slot, a paid booking, and the page of the session."""

from fxo.web.portal import (
    bank,
    briefs,
    card,
    changing,
    checkout,
    choosing,
    directory,
    experts,
    my_sessions,
    reaching,
    receipts,
    rescue,
    saying,
    sessions,
    settings,
    shortlist,
    slots,
)
from fxo.web.portal.blueprint import blueprint

__all__ = [
    "bank",
    "blueprint",
    "briefs",
    "card",
    "changing",
    "checkout",
    "choosing",
    "directory",
    "experts",
    "my_sessions",
    "reaching",
    "receipts",
    "rescue",
    "saying",
    "sessions",
    "settings",
    "shortlist",
    "slots",
]
