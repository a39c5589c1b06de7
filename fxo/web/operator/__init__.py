"""The operator's workspace: tenants, partners, the queue of alarms, payments, payouts, the ledger. Every use is recorded."""

from fxo.web.operator import alarms, bookings, cases, integrity, ledger, overview, partners, payments, payouts, providers, tenants
from fxo.web.operator.blueprint import blueprint

__all__ = [
    "alarms", "blueprint", "bookings", "cases", "integrity", "ledger", "overview", "partners", "payments", "payouts", "providers",
    "tenants",
]  # fmt: skip
