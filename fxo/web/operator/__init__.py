"""The operator's workspace: tenants, partners, the queue of alarms, the ledger. Every use is recorded."""

from fxo.web.operator import alarms, bookings, cases, ledger, overview, partners, tenants
from fxo.web.operator.blueprint import blueprint

__all__ = ["alarms", "blueprint", "bookings", "cases", "ledger", "overview", "partners", "tenants"]
