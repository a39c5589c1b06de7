"""Microsoft 365: when experts are busy, and meetings with a Teams link in their own Outlook calendars."""

from __future__ import annotations

from fxo.core.hookspecs import OAuthSpec, ProviderSpec, hookimpl

CALENDARS = "https://graph.microsoft.com/Calendars.ReadWrite"


@hookimpl
def fxo_register_calendar_provider() -> ProviderSpec:
    from .settings import Settings

    def make(context):  # type: ignore[no-untyped-def]
        from .provider import MicrosoftCalendar

        return MicrosoftCalendar(context)

    consent = OAuthSpec(
        "{login_url}/{directory}/oauth2/v2.0/authorize",
        "{login_url}/{directory}/oauth2/v2.0/token",
        ("offline_access", CALENDARS),
        label="Microsoft 365",
        parameters=(("prompt", "select_account"),),
    )
    return ProviderSpec("calendar_microsoft", "calendars", make, settings=Settings, oauth=consent, live=True)
