"""The calendar port over the plugin's own memory: a working start, to be replaced by calls of a calendar service."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from fxo.core.calendars.port import BusyTimes, CalendarCapabilities, Change, Meeting, MeetingWanted
from fxo.core.errors import Declined
from fxo.core.plugins import ProviderContext


class Settings(BaseModel):
    """What a tenant fills in."""

    room: str = Field(default="https://meet.example/", title="Room", description="What the links of meetings begin with.")
    webhook_secret: SecretStr = Field(title="Webhook secret", description="Signs what the service sends.")


class AcmeCalendar:
    """`CalendarProvider` that keeps meetings in `context.state`; nobody else changes them, and partners are never busy."""

    capabilities = CalendarCapabilities()

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._lock = threading.Lock()

    def busy_times(self, partners: Sequence[UUID], window: tuple[datetime, datetime]) -> BusyTimes:
        return BusyTimes(dict.fromkeys(partners, ()), self._context.system_clock())

    def create_meeting(self, wanted: MeetingWanted) -> Meeting:
        return self._agree(wanted.reference, wanted)

    def move_meeting(self, reference: str, wanted: MeetingWanted) -> Meeting:
        return self._agree(reference, wanted)

    def cancel_meeting(self, reference: str) -> None:
        self._context.state.delete(f"meeting/{reference}")

    def changes_since(self, cursor: str | None) -> tuple[Sequence[Change], str]:
        return (), cursor or "0"

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[str]:
        signed = hmac.new(self._context.secret("webhook_secret").encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signed.encode(), headers.get("X-Signature", "").encode()):
            raise Declined("bad_signature")
        return [str(calendar) for calendar in json.loads(body)]

    def _agree(self, reference: str, wanted: MeetingWanted) -> Meeting:
        """The meeting with the link that it has had from the beginning, at the highest sequence that was asked for."""
        with self._lock:
            kept = self._context.state.get(f"meeting/{reference}") or {"link": secrets.token_urlsafe(18), "sequence": 0}
            kept["sequence"] = max(kept["sequence"], wanted.sequence)
            self._context.state.put(f"meeting/{reference}", kept)
        return Meeting(reference, self._context.settings.room + kept["link"], kept["sequence"])
