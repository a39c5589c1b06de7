"""Mails, messages and the catalogue that says which."""
