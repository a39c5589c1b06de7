"""The spine: event store, durable work, tenants, the network of partners, and the tables that pages read."""

from fxo.migrations import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql("0001_spine.sql")
