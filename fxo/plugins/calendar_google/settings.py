"""What is filled in for Google: the platform's OAuth client. The addresses are Google's own."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class Settings(BaseModel):
    client_id: str = Field(
        "", title="Client ID", description="Of the OAuth client, from Google Cloud, APIs and services, Credentials"
    )
    client_secret: SecretStr = Field(SecretStr(""), title="Client secret")
    accounts_url: str = Field("https://accounts.google.com", title="Address for consent")
    oauth_url: str = Field("https://oauth2.googleapis.com", title="Address for tokens")
    api_url: str = Field("https://www.googleapis.com", title="Address of the API")
