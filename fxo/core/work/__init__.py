"""Durable work: rows that say what is to be done outside a transaction, now or later."""
