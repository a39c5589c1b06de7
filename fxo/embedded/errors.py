"""What the embedded servers and our own processes may fail with."""

from __future__ import annotations

from fxo.core.errors import Unready


class EmbeddedError(Unready):
    """The embedded servers or our own processes cannot run; the sentence says why and what to do."""

    code = "embedded"
