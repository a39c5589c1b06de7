"""OAuth 2.0 as Google and Microsoft publish it: consent, codes with PKCE, tokens that end, renewal, taking back. Strict."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.emulators.serving import Asked, Said

CLIENT = ("fxo-at-the-emulator", "a client secret for tests")


@dataclass
class Grant:
    """What a person has allowed an application."""

    person: str
    scopes: frozenset[str]
    renewal: str
    access: set[str] = field(default_factory=set)


@dataclass
class Consent:
    """The accounts' side of a company. `person` is who is signed in there in the browser; `leaves_out` are scopes they untick."""

    redirects: set[str] = field(default_factory=set)
    scopes: frozenset[str] = frozenset()
    required: dict[str, str] = field(default_factory=dict)
    """Parameters that have to be sent along for a token that can be renewed."""
    person: str = "dana@partners.example"
    refuses: bool = False
    leaves_out: frozenset[str] = frozenset()
    rotates: bool = False
    """Whether a renewal brings another token to renew with, and ends the one before."""
    silent: frozenset[str] = frozenset()
    """Scopes that are given and not named in the answer."""
    grants: list[Grant] = field(default_factory=list)
    _codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=count)

    def authorise(self, asked: Asked) -> Said:
        """The page where one consents, without the page: the answer is where the browser goes."""
        wanted = dict(asked.query)
        needed = {"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"}
        unknown = set(wanted) - needed - set(self.required)
        problem = (
            f"missing {sorted(needed - set(wanted))}" if needed - set(wanted)
            else f"unknown {sorted(unknown)}" if unknown
            else "client" if wanted["client_id"] != CLIENT[0]
            else "redirect_uri_mismatch" if wanted["redirect_uri"] not in self.redirects
            else "response_type" if wanted["response_type"] != "code"
            else "challenge" if wanted["code_challenge_method"] != "S256" or len(wanted["code_challenge"]) != 43
            else "scope" if not set(wanted["scope"].split()) <= self.scopes
            else "parameters" if any(wanted.get(name) != value for name, value in self.required.items())
            else ""
        )  # fmt: skip
        if problem:
            return Said(400, {"error": "invalid_request", "error_description": problem})
        if self.refuses:
            return self._back(wanted, error="access_denied")
        code = f"code-{next(self._numbers)}"
        self._codes[code] = wanted | {"person": self.person}
        return self._back(wanted, code=code)

    def _back(self, wanted: dict[str, str], **said: str) -> Said:
        return Said(302, b"", {"Location": f"{wanted['redirect_uri']}?{urlencode({'state': wanted['state'], **said})}"})

    def token(self, asked: Asked) -> Said:
        """The token endpoint; who we are stands in the form."""
        form = asked.form
        if not hmac.compare_digest(form.get("client_secret", ""), CLIENT[1]) or form.get("client_id") != CLIENT[0]:
            return Said(401, {"error": "invalid_client"})
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token":
                grant = next((one for one in self.grants if one.renewal == form.get("refresh_token")), None)
                return self._issue(grant) if grant else Said(400, {"error": "invalid_grant"})
        return Said(400, {"error": "unsupported_grant_type"})

    def _exchange(self, form: dict[str, str]) -> Said:
        wanted = self._codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if not wanted or challenge != wanted["code_challenge"] or form.get("redirect_uri") != wanted["redirect_uri"]:
            return Said(400, {"error": "invalid_grant"})
        grant = Grant(wanted["person"], frozenset(wanted["scope"].split()) - self.leaves_out, f"renewal-{next(self._numbers)}")
        self.grants.append(grant)
        return self._issue(grant, first=True)

    def _issue(self, grant: Grant, *, first: bool = False) -> Said:
        access = f"access-{next(self._numbers)}"
        grant.access.add(access)
        if self.rotates and not first:
            grant.renewal = f"renewal-{next(self._numbers)}"
        said = {
            "access_token": access,
            "expires_in": 3599,
            "token_type": "Bearer",
            "scope": " ".join(sorted(grant.scopes - self.silent)),
        }
        return Said(200, said | ({"refresh_token": grant.renewal} if first or self.rotates else {}))

    def revoke(self, asked: Asked) -> Said:
        token = asked.form.get("token", "")
        found = [grant for grant in self.grants if token == grant.renewal or token in grant.access]
        for grant in found:
            self.grants.remove(grant)
        return Said(200, {}) if found else Said(400, {"error": "invalid_token"})

    # What tests do.

    def grant_of(self, authorization: str) -> Grant | None:
        """Whose token it is."""
        scheme, _, token = authorization.partition(" ")
        return next((grant for grant in self.grants if scheme == "Bearer" and token in grant.access), None)

    def allow(self, person: str) -> dict[str, Any]:
        """What this person's consent brings, without a browser: `access_token` and `refresh_token`."""
        grant = Grant(person, self.scopes, f"renewal-{next(self._numbers)}")
        self.grants.append(grant)
        said: dict[str, Any] = self._issue(grant, first=True).body
        return said

    def expire(self, person: str) -> None:
        """The access tokens of this person end before their time."""
        for grant in self.grants:
            if grant.person == person:
                grant.access.clear()

    def take_back(self, person: str) -> None:
        """The person takes it back in their account."""
        self.grants = [grant for grant in self.grants if grant.person != person]
