"""What is filled in for Microsoft 365: the platform's app registration. The addresses are Microsoft's own."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class Settings(BaseModel):
    client_id: str = Field("", title="Application (client) ID", description="From the app registration in Microsoft Entra")
    client_secret: SecretStr = Field(SecretStr(""), title="Client secret")
    directory: str = Field(
        "organizations", title="Directory", description="`organizations`, or the id of the only one that may connect"
    )
    login_url: str = Field("https://login.microsoftonline.com", title="Address for consent and tokens")
    graph_url: str = Field("https://graph.microsoft.com/v1.0", title="Address of Graph")
