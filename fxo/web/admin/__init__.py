"""The administrator's pages of a tenant: overview, branding, roster, providers, calendars, tax and receipts, members."""

from fxo.web.admin import branding, calendars, members, overview, policy, provider, providers, roster, tax
from fxo.web.admin.blueprint import blueprint

__all__ = ["blueprint", "branding", "calendars", "members", "overview", "policy", "provider", "providers", "roster", "tax"]
