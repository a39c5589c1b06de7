"""Experts' own calendars: what follows where access to one ends, and where its owner moves or deletes an event by hand."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fxo.core.calendars import connection, looking
from fxo.core.calendars import model as meetings
from fxo.core.calendars.port import Change
from fxo.core.consultations import changes
from fxo.core.consultations.model import CONSULTATION, Booked
from fxo.core.errors import Conflict, Invalid, ProviderError
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.notifications import reactions as notifications
from fxo.core.payments.reactions import LoadConfig
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.work.model import Reaction, Registry, Work

log = logging.getLogger(__name__)


def register(store: Store, registry: Registry, providers: Providers, load_config: LoadConfig) -> None:
    """Follow connections and meetings, and look at calendars."""
    watching = Watching(providers, load_config)
    store.follow(connection.Broke, watching.calendar_broke)
    store.follow(meetings.Replaced, watching.meeting_replaced)
    registry.add(Reaction(looking.KIND, watching.to_look, watching.look, watching.looked))


@dataclass(frozen=True, slots=True)
class Looking:
    """Calendars to ask what has changed, each with how far it was read."""

    config: TenantConfig
    cursors: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Watching:
    providers: Providers
    load_config: LoadConfig

    def calendar_broke(self, tx: Transaction, item: Recorded) -> None:
        """The partner hears of it at once, with the link that mends it (hard case 11)."""
        spec = self.providers.plugins.specs.get(item.value.provider)
        label = (spec.oauth.label if spec and spec.oauth else "") or item.value.provider
        words = {"calendar": label}
        notifications.tell(tx, "calendar_broke_expert", item.value.partner_id, words, key=f"{item.value.provider}/{item.version}")

    def meeting_replaced(self, tx: Transaction, item: Recorded) -> None:
        """Both get the other link."""
        for reader in ("client", "partner"):
            notifications.send(tx, f"link_ready_{reader}", item.value.consultation_id, version=item.version, another_link=True)

    def to_look(self, tx: Transaction, work: Work) -> Looking | None:
        """How far each calendar was read that experts can change."""
        config, specs = self.load_config(tx), self.providers.plugins.specs
        names = [choice.name for choice in config.providers.get("calendars", ()) if choice.name in specs]
        cursors = {name: looking.cursor(tx, name) for name in names if specs[name].oauth}
        return Looking(config, cursors) if cursors else None

    def look(self, asked: Looking, work: Work) -> list[tuple[str, Sequence[Change], str]]:
        """What has changed at each; one that does not answer is asked again the next time."""
        found = []
        for name, cursor in asked.cursors.items():
            provider = self.providers.named(asked.config, "calendars", name)
            try:
                if provider.capabilities.watches:
                    found.append((name, *provider.changes_since(cursor)))
            except ProviderError as error:
                log.warning("%s cannot be asked what has changed: %s", name, error)
        return found

    def looked(self, tx: Transaction, work: Work, asked: Looking, seen: list[tuple[str, Sequence[Change], str]]) -> None:
        """A paid session is not moved silently (hard case 12): a move becomes a proposal, a deletion a question."""
        changed = [(name, change) for name, found, _ in seen for change in found]
        about = [(looking.consultation_at(tx, name, change.reference), change) for name, change in changed]
        bookings = {each: tx.load(CONSULTATION, each) for each, _ in about if each}
        for each, change in about:
            booking = bookings.pop(each, None) if each else None
            if booking is None or not isinstance(booking.state, Booked) or booking.state.terms.ends_at <= tx.now:
                continue
            starts_at, mail = change.starts_at, "calendar_deleted_partner"
            if starts_at == booking.state.terms.starts_at:
                continue
            if starts_at is not None:
                try:
                    tx.append((booking, changes.propose(booking.state, [starts_at], tx.now)))
                    mail = "calendar_moved_partner"
                except (Invalid, Conflict):
                    mail = "calendar_stays_partner"
            notifications.send(tx, mail, booking.id, version=booking.version)
        for name, _, after in seen:
            looking.keep(tx, name, after)
