"""The family of errors that a person or a caller may see: a stable code and a sentence that says how to mend it."""

from __future__ import annotations


class FxoError(Exception):
    """A refusal with a stable `code`, an HTTP `status` and a sentence for people.

    Raised where the rule is; turned into pages and problem+json in one place (`fxo.web.errors`). A sentence with values names
    them, `Invalid("At most %(most)s characters.", most=80)`, so that it can be found in the catalogue of messages; `message`
    is the English with the values in it.
    """

    code = "error"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None, **values: object) -> None:
        self.sentence, self.values = message, values
        self.message = message % values if values else message
        super().__init__(self.message)
        self.field = field
        if code is not None:
            self.code = code


class Invalid(FxoError):
    """What was sent does not make sense; `field` names the input to mend."""

    code = "invalid"
    status = 422


class NotFound(FxoError):
    """No such thing for this reader. A foreign id and an unknown one look the same."""

    code = "not_found"
    status = 404


class NotAllowed(FxoError):
    """The actor lacks the permission."""

    code = "not_allowed"
    status = 403


class SignInNeeded(FxoError):
    """Nobody is signed in, and this needs somebody."""

    code = "sign_in_needed"
    status = 401


class Conflict(FxoError):
    """The state has moved on: what was asked is not possible any more."""

    code = "conflict"
    status = 409


class StaleStream(Conflict):
    """Somebody else appended to the stream in between; the command is to be decided again."""

    code = "stale_stream"


class Gone(FxoError):
    """It existed, and its time has ended (an expired hold, a used link)."""

    code = "gone"
    status = 410


class TooMany(FxoError):
    """Too many tries in a short time; `after` says in how many seconds the next one is heard."""

    code = "too_many"
    status = 429

    def __init__(self, message: str, *, after: int) -> None:
        super().__init__(message)
        self.after = after


class Unready(FxoError):
    """Something that is needed does not answer at the moment; the same request may work later."""

    code = "unready"
    status = 503


class ProviderError(Exception):
    """What a provider's method raises; each kind says what to do next. The text is for operators and holds no personal data."""


class Declined(ProviderError):
    """The provider said no, for good: `reason` is one of our codes (`card_declined`, `insufficient_funds`,
    `expired_card`, `authentication_required`).
    """

    def __init__(self, reason: str, *, reference: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reference = reference


class ActionRequired(ProviderError):
    """A person has to act at `url` (a bank's confirmation); ask again by `reference` afterwards."""

    def __init__(self, url: str, *, reference: str) -> None:
        super().__init__("a person has to confirm")
        self.url = url
        self.reference = reference


class Retryable(ProviderError):
    """It may work later, not before `after` seconds (a rate limit, a lock, a time-out). The outcome is unknown."""

    def __init__(self, message: str, *, after: float = 0) -> None:
        super().__init__(message)
        self.after = after


class NotYet(Retryable):
    """Nothing is wrong, and it is too early; `after` says by how many seconds."""


class Unavailable(Retryable):
    """The provider does not answer at all, or its breaker is open."""


class NotConnected(ProviderError):
    """This person has connected nothing here, or has taken it back: nothing was done, and the next provider may do it."""


class Misconfigured(ProviderError):
    """It can never work with these settings; `field` names the one to mend."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def code_of(error: Exception) -> str:
    """The error as a code, without any text that may name a person: `gone`, `unavailable`, `slow`, `misconfigured: api_key`."""
    if isinstance(error, FxoError):
        return error.code
    reason = getattr(error, "reason", None) or getattr(error, "field", None)
    return type(error).__name__.lower() + (f": {reason}" if reason else "")
