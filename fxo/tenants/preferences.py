"""How somebody wants the pages to be: the theme, kept with their account, so that it follows them to another browser."""

from __future__ import annotations

from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction

THEMES = ("system", "light", "dark")


def keep_theme(tx: Transaction, theme: str) -> None:
    """Keep the theme of who acts: a member in their tenant, a partner or operator under NETWORK."""
    tx.driver.execute(
        "insert into preferences (tenant_id, person_id, theme) values (%s, %s, %s)"
        " on conflict (tenant_id, person_id) do update set theme = excluded.theme",
        (tx.scope.tenant_id, tx.actor.id, known(theme)),
    )


def known(theme: str) -> str:
    """The theme, where it is one of them."""
    if theme not in THEMES:
        raise Invalid("Please choose light, dark, or the system's own.", field="theme")
    return theme
