"""The company's interface, through its own SDK: one try a question, and its failures as the port's errors."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fxo.core.errors import Misconfigured, Retryable, Unavailable
from fxo.core.plugins import ProviderContext

from .settings import Settings

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")
MOST_WRITTEN = 1_500
"""Tokens of an answer, at most."""
_LONGEST_REST = 300.0
"""Seconds that a company is left alone at its own wish, at most."""
_EMBEDDING_SECONDS = 2.0


class Refused(Exception):
    """The model would not answer, or its company would not let it."""


class Unheard(Unavailable):
    """Nobody knows whether the question was worked on, and so whether it costs anything."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the model wrote, and the tokens that it took."""

    text: str
    tokens_in: int
    tokens_out: int


def _import_sdk() -> None:
    """It takes a second, which is over when the first question is asked."""
    import openai  # noqa: F401


class Company:
    """The account at the model's company. May be used from several threads at once."""

    def __init__(self, context: ProviderContext, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._lock = threading.Lock()
        self._client: OpenAI | None = None
        self._rests_until = 0.0
        threading.Thread(target=_import_sdk, name="model's SDK", daemon=True).start()

    def answer(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Said:
        """The model's answer in that form, unread. Raises the port's errors, and `Refused`."""
        form = {"type": "json_schema", "json_schema": {"name": "shortlist", "strict": True, "schema": schema}}

        def ask(client: Any) -> Any:
            return client.chat.completions.create(
                model=self._settings.model, messages=messages, response_format=form, max_completion_tokens=MOST_WRITTEN
            )

        found = self._asked(ask, "model")
        choice = next(iter(getattr(found, "choices", None) or ()), None)
        if choice is None or choice.message is None:
            raise Unavailable("the model gave no answer")
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise Refused
        if choice.finish_reason == "length":
            raise Unavailable("the model’s answer was cut off")
        usage = found.usage
        return Said(choice.message.content or "", *((usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)))

    def vectors(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """One vector a text, in their order, and the tokens that they took."""

        def ask(client: Any) -> Any:
            quick = client.with_options(timeout=min(_EMBEDDING_SECONDS, self._settings.seconds))
            return quick.embeddings.create(model=self._settings.embedding_model, input=list(texts), encoding_format="float")

        found = self._asked(ask, "embedding_model")
        made = [one.embedding for one in sorted(found.data or (), key=lambda one: one.index)]
        if len(made) != len(texts) or len({len(vector) for vector in made}) != 1:
            raise Unavailable("the model made other vectors than it was asked for")
        return made, found.usage.prompt_tokens if found.usage else 0

    def look(self) -> None:
        """Ask the company which models it has, which costs nothing. `Misconfigured` where the chosen one is not among them."""
        found = self._asked(lambda client: [one.id for one in client.models.list().data], "base_url")
        if found and self._settings.model not in found:
            raise Misconfigured("the company knows no such model", field="model")

    def _asked(self, ask: Callable[[Any], T], field: str) -> T:
        import openai

        if (left := self._rests_until - time.monotonic()) > 0:
            raise Retryable("the company has asked not to be asked for a while", after=left)
        try:
            return ask(self._sdk())
        except openai.APITimeoutError as error:
            raise Unheard("the model took too long") from error
        except openai.APIConnectionError as error:
            raise Unheard("the model’s company does not answer") from error
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise Misconfigured("the company refuses the key", field="api_key") from error
        except openai.NotFoundError as error:
            raise Misconfigured("the company knows no such model", field=field) from error
        except openai.RateLimitError as error:
            raise self._told_to_wait(error) from error
        except (openai.OpenAIError, ValueError) as error:
            status = getattr(error, "status_code", None)
            raise Unavailable(f"the company answers {status}" if status else "the company’s answer cannot be read") from error

    def _told_to_wait(self, error: Any) -> Retryable:
        """Nothing is asked before the time that the company names; without credit it is asked again after five minutes."""
        try:
            wanted = float(error.response.headers.get("retry-after", ""))
        except ValueError:
            wanted = 1.0
        if error.code == "insufficient_quota":
            wanted = _LONGEST_REST
        seconds = min(_LONGEST_REST, max(0.0, wanted if math.isfinite(wanted) else 1.0))
        self._rests_until = time.monotonic() + seconds
        return Retryable("the company has had too many questions, or its account is empty", after=seconds)

    def _sdk(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                from openai import DefaultHttpxClient, OpenAI

                seconds = self._settings.seconds
                http = DefaultHttpxClient(follow_redirects=False, trust_env=False, timeout=seconds)
                weakref.finalize(self, http.close)  # with other settings the tenant gets another provider
                self._client = OpenAI(
                    api_key=self._context.secret("api_key"),
                    base_url=self._settings.base_url,
                    organization=None,
                    project=None,
                    max_retries=0,  # a page waits; the next provider and the local list are better than a second try
                    timeout=seconds,
                    http_client=http,
                )
            return self._client
