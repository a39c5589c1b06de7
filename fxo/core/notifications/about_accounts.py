"""The messages about an account, sent with `reactions.tell`: each brings its own words beside `name`, `first` and `portal`."""

from __future__ import annotations

from fxo.core.notifications.entry import Entry

ACCOUNTS: dict[str, Entry] = {}
"""By kind. `to="member"` is an account of the tenant, `to="expert"` a partner's."""
