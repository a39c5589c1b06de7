"""The partners' workspace: sessions over all tenants, earnings, availability."""

from fxo.web.partner import availability, sessions
from fxo.web.partner.blueprint import blueprint

__all__ = ["availability", "blueprint", "sessions"]
