"""What a plugin gets of the platform, for one tenant."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import orjson
from pydantic import SecretStr

from fxo.core.db import execute, transaction
from fxo.core.errors import Misconfigured, NotConnected, Retryable, Unavailable
from fxo.core.scope import tenant_scope

if TYPE_CHECKING:
    import httpx


class State(Protocol):
    """A small memory of the plugin, one per tenant: cursors, tokens that were refreshed, ids at the provider. Values are JSON."""

    def get(self, key: str) -> Any:
        """The value, or None."""
        ...

    def put(self, key: str, value: Any) -> None:
        """Keep the value in place of what was there."""
        ...

    def delete(self, key: str) -> None:
        """Forget it; already gone is success."""
        ...


class Connections(Protocol):
    """What people have allowed this provider to do for them. The platform asks them, keeps the tokens and renews them."""

    def token(self, person_id: UUID, *, refused: str = "") -> str:
        """An access token of this person that is valid now, and another one than `refused`, which the company outside did not
        take. Raises `NotConnected` where there is none (any more), `Unavailable` where it cannot be renewed just now.
        """
        ...

    def broken(self, person_id: UUID, reason: str) -> None:
        """What was allowed does not work any more, whatever the token says: the person is told and asked to connect again."""
        ...

    def people(self) -> Sequence[UUID]:
        """Whose connections work at the moment, of those whom the tenant may book."""
        ...


class NoConnections:
    """`Connections` of a provider without `oauth`: nobody is."""

    def token(self, person_id: UUID, *, refused: str = "") -> str:
        raise NotConnected("nobody can connect anything here")

    def broken(self, person_id: UUID, reason: str) -> None:
        """Nothing to tell."""

    def people(self) -> Sequence[UUID]:
        return ()


@dataclass(frozen=True, slots=True)
class StoredState:
    """`State` in the table `plugin_state`, under the tenant's row level security; each call is one transaction."""

    tenant_id: UUID
    plugin: str

    def get(self, key: str) -> Any:
        with transaction(tenant_scope(self.tenant_id)) as connection:
            statement = "select value from plugin_state where tenant_id = :tenant and plugin = :plugin and key = :key"
            return execute(connection, statement, tenant=self.tenant_id, plugin=self.plugin, key=key).scalar_one_or_none()

    def put(self, key: str, value: Any) -> None:
        with transaction(tenant_scope(self.tenant_id)) as connection:
            execute(
                connection,
                "insert into plugin_state (tenant_id, plugin, key, value) values (:tenant, :plugin, :key, cast(:value as jsonb))"
                " on conflict (tenant_id, plugin, key) do update set value = excluded.value",
                tenant=self.tenant_id, plugin=self.plugin, key=key, value=orjson.dumps(value).decode(),
            )  # fmt: skip

    def delete(self, key: str) -> None:
        with transaction(tenant_scope(self.tenant_id)) as connection:
            statement = "delete from plugin_state where tenant_id = :tenant and plugin = :plugin and key = :key"
            execute(connection, statement, tenant=self.tenant_id, plugin=self.plugin, key=key)


@dataclass(frozen=True, slots=True)
class Urls:
    """Links that a provider hands to others."""

    portal: str
    """The tenant's portal, without a slash at the end."""
    hooks: str
    """Where this provider's messages are received."""
    meet: Callable[[str], str]
    """The page of a local meeting, by its token."""


@dataclass(frozen=True)
class ProviderContext:
    """The tenant's settings and secrets, ways out, clocks, a log and a small memory.

    One is made per tenant, plugin and settings, and used from several threads at once.
    """

    tenant_id: UUID
    tenant_slug: str
    plugin: str
    settings: Any
    """An instance of the model that the plugin has declared; None where it has declared none."""
    clock: Callable[[], datetime]
    """Business time in UTC, which the demo can move: for decisions and for what people see."""
    system_clock: Callable[[], datetime]
    """Real time in UTC: for the age of signatures and tokens."""
    urls: Urls
    state: State
    log: logging.LoggerAdapter[logging.Logger] = field(repr=False)
    """Carries tenant and plugin. Log ids, never names, addresses or what people wrote."""
    connections: Connections = field(default_factory=NoConnections)
    """What people have allowed the provider to do for them, where it has an `OAuthSpec`."""
    seconds: float = 8.0
    """The time limit of one call; connections are given up a little earlier."""

    @property
    def prefix(self) -> str:
        """Goes in front of every key that leaves the tenant's own rows: in a cache, a file's name, a provider's account."""
        return f"{self.tenant_id}/{self.plugin}/"

    def secret(self, name: str) -> str:
        """The secret of that name in the settings, opened. Raises `Misconfigured` where the tenant has given none."""
        value = getattr(self.settings, name, None)
        if not isinstance(value, SecretStr) or not value.get_secret_value():
            raise Misconfigured(f"{self.plugin} needs {name}", field=name)
        return value.get_secret_value()

    @property
    def hook_url(self) -> str:
        """Where what the provider sends about this tenant is received."""
        return f"{self.urls.hooks}/{self.tenant_slug}"

    def ask(self, method: str, url: str, **values: Any) -> httpx.Response:
        """The answer of a service over `http`, which takes `values`; a redirect and a refusal (4xx) are answers.

        Raises `Unavailable` where nobody answers or the service is ill (5xx), `Retryable` where it asks for patience (429).
        """
        import httpx

        try:
            answer = self.http.request(method, url, **values)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self.plugin} does not answer: {type(error).__name__}") from None
        if answer.status_code == 429:
            raise Retryable(f"{self.plugin} asks for patience", after=self._patience(answer.headers))
        if answer.status_code >= 500:
            raise Unavailable(f"{self.plugin} says {answer.status_code}", after=self._patience(answer.headers))
        return answer

    def _patience(self, headers: Mapping[str, str]) -> float:
        """The seconds of `Retry-After`, at most an hour, or until `X-RateLimit-Reset` (unix time)."""
        now = self.system_clock()
        asked = headers.get("retry-after", "")
        if asked.isdecimal():
            after = float(asked)
        elif asked:
            try:
                after = (parsedate_to_datetime(asked) - now).total_seconds()
            except (ValueError, TypeError):
                after = 0.0
        else:
            reset = headers.get("x-ratelimit-reset", "")
            after = float(reset) - now.timestamp() if reset.isdecimal() else 0.0
        return min(max(after, 0.0), 3600.0)

    @cached_property
    def http(self) -> httpx.Client:
        """A client with the platform's time limits, made at first use; it follows no redirects."""
        import httpx

        return httpx.Client(timeout=httpx.Timeout(self.seconds * 0.9, connect=min(3.0, self.seconds / 2)))

    def close(self) -> None:
        """End the connections that are kept open."""
        if (client := vars(self).pop("http", None)) is not None:
            client.close()
