"""Google Calendar: when experts are busy, and meetings with a Meet link in their own calendars."""

from __future__ import annotations

from fxo.core.hookspecs import OAuthSpec, ProviderSpec, hookimpl

EVENTS = "https://www.googleapis.com/auth/calendar.events.owned"
FREE_BUSY = "https://www.googleapis.com/auth/calendar.freebusy"


@hookimpl
def fxo_register_calendar_provider() -> ProviderSpec:
    from .settings import Settings

    def make(context):  # type: ignore[no-untyped-def]
        from .provider import GoogleCalendar

        return GoogleCalendar(context)

    consent = OAuthSpec(
        "{accounts_url}/o/oauth2/v2/auth",
        "{oauth_url}/token",
        (EVENTS, FREE_BUSY),
        label="Google Calendar",
        parameters=(("access_type", "offline"), ("prompt", "consent")),
        revoke_url="{oauth_url}/revoke",
    )
    return ProviderSpec("calendar_google", "calendars", make, settings=Settings, oauth=consent, live=True)
