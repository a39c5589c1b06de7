"""Asking a person at a company outside (OAuth 2.0 with PKCE): where they are sent, what their answer is worth, renewing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fxo.core.clock import system_now
from fxo.core.errors import Declined, Misconfigured, Unavailable
from fxo.core.hookspecs import OAuthSpec

if TYPE_CHECKING:
    from authlib.oauth2.client import OAuth2Client

SECONDS = 7.0
EARLY = timedelta(minutes=2)
"""A token that ends within this time is renewed before it is used."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the company gave; `renewal` is empty where it gave nothing to renew with."""

    access: str
    renewal: str
    until: datetime

    @property
    def stale(self) -> bool:
        return self.until - EARLY <= system_now()

    def __repr__(self) -> str:
        return f"<tokens until {self.until:%Y-%m-%dT%H:%M}>"


def address(spec: OAuthSpec, application: Any, back: str, state: str, verifier: str) -> str:
    """Where the person is sent to consent, for the scopes that are needed and no others."""
    with _client(spec, application, back) as client:
        url, _ = client.create_authorization_url(
            _at(spec.authorize_url, application), state=state, code_verifier=verifier, **dict(spec.parameters)
        )
    return str(url)


def exchange(spec: OAuthSpec, application: Any, back: str, code: str, verifier: str) -> Tokens:
    """The tokens for the code that the person came back with.

    Raises `Declined("not_valid")` for a code that is used, old or somebody else's, `Declined("scopes")` where the person has left
    out what is needed, `Unavailable`, `Misconfigured`.
    """
    with _asking(), _client(spec, application, back) as client:
        said = client.fetch_token(
            _at(spec.token_url, application), code=code, code_verifier=verifier, auth=_in_the_body(), **_identity(application)
        )
    granted = {_short(scope) for scope in str(said.get("scope", "")).split()}
    if granted and not {_short(scope) for scope in spec.scopes if "/" in scope} <= granted:
        raise Declined("scopes")
    return _read(said)


def renew(spec: OAuthSpec, application: Any, tokens: Tokens) -> Tokens:
    """New ones. Raises `Declined("not_valid")` where the person, or the company, has ended what was allowed."""
    if not tokens.renewal:
        raise Declined("not_valid")
    with _asking(), _client(spec, application, "") as client:
        said = client.refresh_token(
            _at(spec.token_url, application), refresh_token=tokens.renewal, auth=_in_the_body(), **_identity(application)
        )
    return replace(_read(said), renewal=said.get("refresh_token") or tokens.renewal)


def give_back(spec: OAuthSpec, application: Any, tokens: Tokens) -> None:
    """Tell the company that nothing is allowed any more; raises `Unavailable` where nobody hears it."""
    if not spec.revoke_url:
        return
    with _asking(), _client(spec, application, "") as client:
        client.session.post(_at(spec.revoke_url, application), data={"token": tokens.renewal or tokens.access})


def _short(scope: str) -> str:
    """A scope without the company's address in front of it: some leave that out where they say what was granted."""
    return scope.rpartition("/")[2].lower()


def _at(url: str, application: Any) -> str:
    return url.format_map({name: getattr(application, name) for name in type(application).model_fields})


def _identity(application: Any) -> Mapping[str, str]:
    if not (application.client_id and application.client_secret.get_secret_value()):
        raise Misconfigured("the platform has no application there yet", field="client_id")
    return {"client_id": application.client_id, "client_secret": application.client_secret.get_secret_value()}


def _read(said: Mapping[str, Any]) -> Tokens:
    seconds = float(said.get("expires_in") or 3600)
    return Tokens(str(said["access_token"]), str(said.get("refresh_token") or ""), system_now() + timedelta(seconds=seconds))


@contextmanager
def _client(spec: OAuthSpec, application: Any, back: str) -> Iterator[OAuth2Client]:
    import httpx
    from authlib.oauth2.client import OAuth2Client

    identity = _identity(application)
    with httpx.Client(timeout=httpx.Timeout(SECONDS, connect=3.0)) as session:
        yield OAuth2Client(
            session, identity["client_id"], identity["client_secret"], scope=" ".join(spec.scopes), redirect_uri=back or None,
            code_challenge_method="S256",
        )  # fmt: skip


def _in_the_body() -> Any:
    """Who we are stands in the form, as both Google and Microsoft show it; nothing is added to the request."""
    import httpx

    return httpx.Auth()


@contextmanager
def _asking() -> Iterator[None]:
    """What the company's token endpoint says, in our words; nothing of it is quoted."""
    import httpx
    from authlib.oauth2.base import OAuth2Error

    try:
        yield
    except OAuth2Error as error:
        if error.error in ("invalid_client", "unauthorized_client"):
            raise Misconfigured("the company outside does not know our application", field="client_secret") from None
        if error.error in ("temporarily_unavailable", "server_error"):
            raise Unavailable("the company outside cannot issue tokens just now") from None
        raise Declined("not_valid") from None
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"nobody issues tokens: {type(error).__name__}") from None
