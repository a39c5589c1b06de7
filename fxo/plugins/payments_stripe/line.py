"""The line to Stripe: the SDK's client over the platform's own connections, keys that work once, and errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import stripe

from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.plugins.context import ProviderContext

T = TypeVar("T")
API = "https://api.stripe.com"
TURNS = 3
"""How many keys one thing may use where Stripe has kept a failure of its own as the answer to the one before."""

DECLINES: Mapping[str, str] = {
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_required": "authentication_required",
    "payment_intent_authentication_failure": "authentication_failed",
    "setup_intent_authentication_failure": "authentication_failed",
}
"""Stripe's codes of a decline (https://docs.stripe.com/declines/codes) that are more to us than `card_declined`."""


class Connection(stripe.HTTPClient):
    """What the SDK sends, over the client that the platform has made, with its time limits."""

    name = "fxo"

    def __init__(self, client: Callable[[], httpx.Client]) -> None:
        super().__init__()
        self._client = client

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        try:
            answer = self._client().request(method, url, headers=dict(headers or {}), content=post_data)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(f"no answer from Stripe: {type(error).__name__}") from error
        return answer.text, answer.status_code, answer.headers


class Line:
    """Stripe's API for one tenant. What changes something goes through `once`."""

    def __init__(self, context: ProviderContext, api: str = API) -> None:
        client = stripe.StripeClient(
            context.secret("secret_key"),
            base_addresses={"api": api},
            http_client=Connection(lambda: context.http),
            max_network_retries=0,  # the platform repeats, from durable work
        )
        self.client, self.v1, self._prefix = client, client.v1, context.prefix

    def once(self, key: str, call: Callable[[stripe.RequestOptions], T], *, prefix: str | None = None) -> T:
        """What the call gives, done at most once for the key, which is the tenant's own unless it gets another prefix.
        Stripe knows one set of keys for everything, so a key names the verb, too.

        Stripe keeps its own failures (5xx) as the answer to a key for a day, though nothing may have happened
        (https://docs.stripe.com/api/idempotent_requests). Callers have looked before that it did not; so such an answer, when
        it is an old one, is followed by another key.
        """
        for turn in range(1, TURNS + 1):
            used = (self._prefix if prefix is None else prefix) + key + (f"/{turn}" if turn > 1 else "")
            try:
                return call({"idempotency_key": used})
            except stripe.APIError as error:
                if turn == TURNS or not _kept_failure(error):
                    raise
        raise AssertionError("the last turn returns or raises")


def _kept_failure(error: stripe.StripeError) -> bool:
    return (error.http_status or 0) >= 500 and (error.headers or {}).get("idempotent-replayed") == "true"


@contextmanager
def our_words() -> Iterator[None]:
    """Errors of the SDK become those of the port. Their texts name ids and codes alone."""
    try:
        yield
    except stripe.StripeError as error:
        raise translated(error) from None  # its text may hold what Stripe says to people


def translated(error: stripe.StripeError) -> ProviderError:
    """What to do about it."""
    seen = f"{error.code or type(error).__name__}, {error.request_id or 'no request id'}"
    match error:
        case stripe.CardError():
            return Declined(reason_of(error.error))
        case stripe.RateLimitError():
            return Retryable(f"Stripe asks for patience ({seen})", after=_after(error))
        case stripe.StripeError(http_status=409):
            return Retryable(f"the same is being asked at this moment ({seen})", after=1)
        case stripe.IdempotencyError():
            return Misconfigured(f"the key was used for something else ({seen})", field="key")
        case stripe.AuthenticationError():
            return Misconfigured(f"Stripe does not know the secret key ({seen})", field="secret_key")
        case stripe.PermissionError():
            return Misconfigured(f"the secret key may not do this ({seen})", field="secret_key")
        case stripe.InvalidRequestError():
            return Misconfigured(f"Stripe refuses {error.param or 'the request'} ({seen})", field=str(error.param or ""))
        case stripe.APIConnectionError():
            return Unavailable("Stripe does not answer")
    return Unavailable(f"Stripe fails with {error.http_status} ({seen})")


def reason_of(problem: Any) -> str:
    """Why a card was refused, as one of our codes; `problem` is Stripe's error or an intent's last one."""
    codes = (getattr(problem, "decline_code", None), getattr(problem, "code", None))
    return next((DECLINES[code] for code in codes if code in DECLINES), "card_declined")


def _after(error: stripe.StripeError) -> float:
    said = (error.headers or {}).get("retry-after", "")
    return min(60.0, float(said)) if said.isdecimal() else 2.0
