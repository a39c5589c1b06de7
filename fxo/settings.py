"""Every FXO_* variable, typed and described in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url


class Settings(BaseSettings):
    """The platform's settings, read from the environment and from `.env` in the working directory."""

    model_config = SettingsConfigDict(env_prefix="FXO_", env_file=".env", extra="ignore", frozen=True)

    # Servers. Left out, `fxo demo` and the tests start embedded ones.
    database_url: str = Field("", description="PostgreSQL for the application's login (fxo_app)")
    database_admin_url: str = Field("", description="A login that may create roles and databases; for `fxo db` only")
    database_system_url: str = Field("", description="Login fxo_system; left out, database_url with that user")
    database_operator_url: str = Field("", description="Login fxo_operator; left out, database_url with that user")
    redis_url: str = Field("", description="Redis or Valkey, the carrier of work; may be flushed at any moment")
    role_prefix: str = Field("fxo", description="Prefix of our PostgreSQL roles, which are global to a cluster")
    data_dir: Path = Field(Path(".fxo"), description="Where the embedded servers keep their data")

    # The site.
    base_domain: str = Field("localhost", description="<slug>.<base domain> is a portal")
    public_scheme: Literal["http", "https"] = Field("http", description="How browsers reach us")
    public_port: int | None = Field(None, description="The port in links, where it is not the scheme's own")
    bind: str = Field("127.0.0.1", description="Address that the web server listens on")
    port: int = Field(8000, description="Port that the web server listens on", ge=0, le=65535)
    trusted_proxies: int = Field(0, description="How many proxies in front of us set X-Forwarded-*", ge=0)
    home_tenant: str = Field("fortium", description="The portal that the bare base domain redirects to")
    web_processes: int = Field(2, ge=1)
    web_threads: int = Field(64, ge=1)

    # Secrets.
    secret_key: SecretStr = Field(SecretStr(""), description="Signs cookies and form tokens; 32 characters or more")
    master_key: SecretStr = Field(SecretStr(""), description="Wraps each person's key: 32 bytes as 64 hex digits")

    # Behaviour.
    demo: bool = Field(False, description="Movable clock, outbox page, sandbox payments; refuses live providers")
    claim_minutes: int = Field(10, description="How long a slot is kept while a client checks out", ge=1)
    lease_seconds: float = Field(30, description="How long a worker may hold a piece of work", gt=0)
    idle_seconds: float = Field(30, description="After how long due work that nobody took is handed out again", gt=0)
    provider_seconds: float = Field(8, description="Time limit of one call to a provider", gt=0)
    private_providers: bool = Field(
        False, description="Tenants may set up providers at private addresses, such as a model in your own network"
    )
    sweep_seconds: float = Field(1, description="How often the sweeper looks", gt=0)
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    # Calendars that experts connect: the platform's own applications there, one for all tenants.
    google_client_id: str = Field("", description="OAuth client of the platform at Google, for experts' calendars")
    google_client_secret: SecretStr = Field(SecretStr(""), description="Its secret")
    microsoft_client_id: str = Field("", description="App registration of the platform at Microsoft, for experts' calendars")
    microsoft_client_secret: SecretStr = Field(SecretStr(""), description="Its secret")
    # Payments: the operator's own account at Stripe, one for all tenants that have none. docs/stripe.md
    stripe_publishable_key: str = Field(
        "", description="pk_live_... or pk_test_...; with both keys tenants are paid through Stripe"
    )
    stripe_secret_key: SecretStr = Field(SecretStr(""), description="sk_... or rk_... of the same mode")
    stripe_webhook_secret: SecretStr = Field(SecretStr(""), description="whsec_...; left out, no message of Stripe is believed")
    stripe_statement_suffix: str = Field("", description="What follows the company's name on card statements")
    stripe_country: str = Field("", description="Country of experts' accounts at Stripe, such as US; empty: that of the account")

    # What the payment sandbox keeps of each payment. docs/sandbox.md
    sandbox_fee_rate: int = Field(0, description="In basis points: 290 are 2.9 percent", ge=0, le=10_000)
    sandbox_fee_fixed: int = Field(0, description="In minor units, on top", ge=0)

    # Mail.
    smtp_url: SecretStr = Field(SecretStr(""), description="smtp://user:password@host:port; empty: the outbox page of the demo")
    mail_from: str = Field("fxo <no-reply@localhost>", description="Sender of the platform's mails")
    alarm_mail: str = Field("", description="Where alarms are sent; empty: only the operator's queue shows them")

    @field_validator("role_prefix")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", value):
            raise ValueError("use lower-case letters, digits and underscores")
        return value

    def role(self, name: str) -> str:
        """The PostgreSQL role of that name: `role("tenant")` is `fxo_tenant`."""
        return f"{self.role_prefix}_{name}"

    def login_url(self, login: Literal["app", "system", "operator"]) -> URL:
        """The SQLAlchemy URL of one of the three logins; the psycopg driver is always named."""
        given = {"app": self.database_url, "system": self.database_system_url, "operator": self.database_operator_url}[login]
        url = make_url(given or self.database_url).set(drivername="postgresql+psycopg")
        return url if given else url.set(username=self.role(login))

    def host(self, label: str = "") -> str:
        """The host name `label.<base>`, without port."""
        return f"{label}.{self.base_domain}" if label else self.base_domain

    def url(self, host: str, path: str = "/") -> str:
        """An absolute link to one of our hosts."""
        port = self.public_port if self.public_port is not None else self.port
        usual = {"http": 80, "https": 443}[self.public_scheme]
        return f"{self.public_scheme}://{host}" + ("" if port == usual else f":{port}") + path
