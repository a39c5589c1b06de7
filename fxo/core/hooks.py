"""What plugins are told: what happens to bookings, and who is to be forgotten; each from a work row of its own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.clients import model as clients
from fxo.core.consultations import model as consultation
from fxo.core.consultations import queries as consultation_rows
from fxo.core.errors import Misconfigured, Retryable
from fxo.core.events.model import Recorded
from fxo.core.events.store import Follower, Store, Transaction
from fxo.core.hookspecs import Booking, Erasure
from fxo.core.notifications import reactions as notifications
from fxo.core.payments.reactions import LoadConfig
from fxo.core.plugins import Providers, forget, observe
from fxo.core.ratings import model as ratings
from fxo.core.scope import TenantConfig
from fxo.core.work import rows
from fxo.core.work.model import PATIENT, Reaction, Registry, Work

_HOOKS: dict[type[object], str] = {
    consultation.Confirmed: "fxo_booking_confirmed",
    consultation.Moved: "fxo_booking_rescheduled",
    consultation.Cancelled: "fxo_booking_cancelled",
    consultation.Started: "fxo_session_started",
    consultation.Completed: "fxo_session_completed",
    ratings.Given: "fxo_session_rated",
}
"""Which hook announces which event."""


def register(store: Store, registry: Registry, providers: Providers, load_config: LoadConfig) -> None:
    """Hang it on the events, and its reactions on the kinds of work."""
    telling = Telling(providers, load_config)
    store.follow(clients.Erased, telling.erased)
    for event_class, hook in _HOOKS.items():
        store.follow(event_class, telling.announce(hook))
    registry.add(
        Reaction("hooks.forget", telling.to_forget, telling.let_forget, lambda tx, work, wanted, outcome: None, attempts=PATIENT),
        Reaction("hooks.announce", telling.to_announce, telling.tell_plugin, lambda tx, work, wanted, outcome: None),
    )


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Somebody whom a plugin is to forget."""

    config: TenantConfig
    plugin: str
    erasure: Erasure
    keeps: bool
    """Whether the plugin keeps anything of this tenant in its memory."""


@dataclass(frozen=True, slots=True)
class Announcement:
    config: TenantConfig
    hook: str
    plugin: str
    booking: Booking


class Telling:
    """Tells plugins."""

    def __init__(self, providers: Providers, load_config: LoadConfig) -> None:
        self.providers = providers
        self.load_config = load_config

    def announce(self, hook: str) -> Follower:
        """Each plugin that listens is told from a work row of its own, so that one that fails is told again alone."""

        def follow(tx: Transaction, item: Recorded) -> None:
            consultation_id = getattr(item.value, "consultation_id", item.stream_id)
            for plugin, _ in self.providers.plugins.implementations(hook):
                rows.schedule(
                    tx,
                    "hooks.announce",
                    consultation_id,
                    key=f"{hook}/{item.version}/{plugin}",
                    body={"hook": hook, "plugin": plugin},
                )

        return follow

    def to_announce(self, tx: Transaction, work: Work) -> Announcement:
        """The booking as hooks see it."""
        row = consultation_rows.find(tx, work.stream_id)
        booking = Booking(row.id, work.tenant_id, row.partner_id, row.client_id, row.starts_at, row.ends_at, row.price, row.state)
        return Announcement(self.load_config(tx), work.body["hook"], work.body["plugin"], booking)

    def tell_plugin(self, told: Announcement, work: Work) -> None:
        """Tell it; a plugin that fails is told again later."""
        if observe(self.providers, told.config, told.hook, told.booking, only=[told.plugin]):
            raise Retryable(f"{told.plugin} failed at {told.hook}")

    # Forgetting somebody -------------------------------------------------------------------------------------------

    def erased(self, tx: Transaction, item: Recorded) -> None:
        """Each plugin that keeps something of people forgets them, from a work row of its own (hard case 24)."""
        for plugin, _ in self.providers.plugins.implementations("fxo_person_erased"):
            persons = [str(person) for person in (item.value.person_id, *item.value.also)]
            body = {"plugin": plugin, "persons": persons}
            rows.schedule(tx, "hooks.forget", item.stream_id, key=f"{item.version}/{plugin}", body=body)

    def to_forget(self, tx: Transaction, work: Work) -> Forgetting:
        """Who, and which messages name them."""
        persons = [UUID(person) for person in work.body["persons"]]
        messages = tuple(str(found) for found in notifications.about(tx, persons))
        plugin = work.body["plugin"]
        row = tx.driver.execute(
            "select exists (select from plugin_state where tenant_id = %s and plugin = %s)", (tx.scope.tenant_id, plugin)
        ).fetchone()
        erasure = Erasure(work.tenant_id, tuple(persons), messages)
        return Forgetting(self.load_config(tx), plugin, erasure, keeps=bool(row and row[0]))

    def let_forget(self, wanted: Forgetting, work: Work) -> None:
        """A plugin that fails is asked again later; one that is not set up here, and keeps nothing, has nothing to forget."""
        try:
            forget(self.providers, wanted.config, wanted.plugin, wanted.erasure)
        except Misconfigured:
            if wanted.keeps:
                raise
        except Exception as error:
            # The edge of a plugin: what it raises says only that it has not forgotten yet.
            raise Retryable(f"{wanted.plugin} failed at fxo_person_erased: {type(error).__name__}") from None
