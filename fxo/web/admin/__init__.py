"""The administrator's pages of a tenant: overview, branding, roster, calendars, tax and receipts, members, keys of the API."""

from fxo.web.admin import api_keys, branding, calendars, members, overview, policy, roster, tax
from fxo.web.admin.blueprint import blueprint

__all__ = ["api_keys", "blueprint", "branding", "calendars", "members", "overview", "policy", "roster", "tax"]
