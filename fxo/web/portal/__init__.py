"""The portal: from a brief to a shortlist, a held slot, a paid booking, and the page of the session."""

from fxo.web.portal import briefs, checkout, choosing, directory, experts, sessions, shortlist, slots
from fxo.web.portal.blueprint import blueprint

__all__ = ["blueprint", "briefs", "checkout", "choosing", "directory", "experts", "sessions", "shortlist", "slots"]
