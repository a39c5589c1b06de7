"""The API for programs, `/api/v1` on each portal's host: the main flow over the same commands and queries as the pages."""

from fxo.web.api import briefs, partners, bookings, sessions, description  # isort: skip - the order of the main flow
from fxo.web.api.blueprint import blueprint

__all__ = ["blueprint", "bookings", "briefs", "description", "partners", "sessions"]
