"""What is filled in for Stripe: two keys of one mode, the secret of the webhook, the word on card statements."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator


class Settings(BaseModel):
    """What a tenant fills in for Stripe. Live and test keys are never mixed."""

    publishable_key: Annotated[
        str,
        Field(
            title="Publishable key",
            description="Begins with pk_live_ or pk_test_ (Stripe: Developers, API keys)",
            examples=["pk_test_example"],
        ),
    ]
    secret_key: Annotated[
        SecretStr,
        Field(
            title="Secret key",
            description="Begins with sk_ or rk_, and has the same mode as the publishable key",
            examples=["sk_test_example"],
        ),
    ]
    webhook_secret: Annotated[
        SecretStr,
        Field(title="Webhook secret", description="Begins with whsec_; left out, no message of Stripe is believed"),
    ] = SecretStr("")
    statement_suffix: Annotated[
        str,
        Field(
            title="On card statements",
            description="Follows your company's name there; at most 12 Latin letters, digits, spaces and dots",
        ),
    ] = ""
    country: Annotated[
        str, Field(title="Country of experts' accounts", description="Two letters, such as US; empty: that of your account")
    ] = ""

    @field_validator("publishable_key")
    @classmethod
    def _publishable(cls, value: str) -> str:
        if not re.fullmatch(r"pk_(live|test)_\w+", value, re.ASCII):
            raise ValueError("give the publishable key, which begins with pk_live_ or pk_test_")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"(sk|rk)_(live|test)_\w+", value.get_secret_value(), re.ASCII):
            raise ValueError("give the secret key, which begins with sk_live_, sk_test_, rk_live_ or rk_test_")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.fullmatch(r"whsec_\S+", value.get_secret_value(), re.ASCII):
            raise ValueError("give the signing secret of the endpoint, which begins with whsec_")
        return value

    @field_validator("statement_suffix")
    @classmethod
    def _suffix(cls, value: str) -> str:
        if value and not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9 .]{1,12}", value):
            raise ValueError("give at most 12 Latin letters, digits, spaces and dots, with a letter among them")
        return value

    @field_validator("country")
    @classmethod
    def _country(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Z]{2}", value):
            raise ValueError("give the country as two capital letters, such as US")
        return value

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        if self.live != self.publishable_key.startswith("pk_live_"):
            raise ValueError("one key is for live payments and the other for tests: give two of the same mode")
        return self

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return "_live_" in self.secret_key.get_secret_value()[:8]
