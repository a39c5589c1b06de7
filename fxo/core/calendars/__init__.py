"""Meetings and busy times through calendar providers."""
