"""The administrator's pages of a tenant: overview, look, roster, providers, calendars, tax and receipts, members, API keys."""

from fxo.web.admin import api_keys, branding, calendars, members, overview, policy, provider, providers, roster, tax
from fxo.web.admin.blueprint import blueprint

__all__ = [
    "api_keys",
    "blueprint",
    "branding",
    "calendars",
    "members",
    "overview",
    "policy",
    "provider",
    "providers",
    "roster",
    "tax",
]
