"""What a tenant fills in for a model."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field, SecretStr, field_validator


class Settings(BaseModel):
    """One account at one company with one model; a second company is a second instance, `matching_openai:second`."""

    api_key: SecretStr = Field(SecretStr(""), title="API key", description="From your account at the model's company.")
    base_url: str = Field(
        "https://api.openai.com/v1",
        title="Address",
        description="Of OpenAI, or of any service with the same interface (chat completions with JSON schemas).",
    )
    model: str = Field("gpt-4.1-mini", title="Model", description="A quick one: a list that comes after seconds is only offered.")
    embedding_model: str = Field(
        "text-embedding-3-small",
        title="Model for vectors",
        description="Finds candidates on rosters of more than a dozen; empty: the local ranker finds them alone.",
    )
    mask: bool = Field(
        True,
        title="Mask personal data",
        description="Names of people, mail addresses, telephone, card and account numbers and links are taken out of briefs and"
        " profiles before they are sent. Names of experts are never sent.",
    )
    monthly_budget: Decimal = Field(
        Decimal(50), ge=0, title="Budget a month", description="In US dollars; once it is used up the local ranking stands."
    )
    price_in: Decimal = Field(
        Decimal("0.40"), ge=0, title="Price of a million tokens read", description="In US dollars, from the company's price list."
    )
    price_out: Decimal = Field(Decimal("1.60"), ge=0, title="Price of a million tokens written", description="In US dollars.")
    price_embedding: Decimal = Field(
        Decimal("0.02"), ge=0, title="Price of a million tokens made vectors", description="In US dollars."
    )
    seconds: float = Field(5.0, gt=0, le=5.5, title="Time limit", description="Seconds for one answer.")

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("the address begins with https://")
        return value.rstrip("/")
