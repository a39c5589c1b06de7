"""The booking process as a test tells it: what people do, what time does, and what everybody can see afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import flask
import icalendar
import orjson
from psycopg.types.json import Jsonb
from werkzeug.test import TestResponse

from fxo.core import life
from fxo.core.calendars.model import meeting_id_of
from fxo.core.clock import system_now
from fxo.core.consultations import commands as consultations
from fxo.core.consultations.model import Party
from fxo.core.events.subscriptions import advance
from fxo.core.ids import new_id
from fxo.core.notifications.port import Message
from fxo.core.payments.queries import payment_id_of
from fxo.core.ratings import commands as ratings
from fxo.core.scope import ROLES, Actor, ActorKind, TenantConfig
from fxo.core.work.perform import Outcome
from fxo.embedded.processes import wait_until
from fxo.plugins.notifications_email.outbox import outbox
from fxo.plugins.payments_sandbox import webhooks
from tests.support import clock
from tests.support.flow import WORKS
from tests.support.world import World, world

CLIENT_MAIL = "sarah@lindqvist.example"
DANA_MAIL = "dana@partners.example"


class Story(World):
    """A world whose work is done in this process, whenever the test says so."""

    # What people do

    def book(self, partner: str, starts_at: datetime, number: str = WORKS) -> UUID:
        """Hold the time and pay with this card, as checkout does; the provider has been asked."""
        consultation_id = self.hold(partner, starts_at)
        self.pay(consultation_id, number)
        return consultation_id

    def pay(self, consultation_id: UUID, number: str = WORKS) -> Outcome:
        return self.perform(self.ask_to_pay(consultation_id, number))

    def perform(self, work_id: UUID) -> Outcome:
        return self.parts.performer.perform(self.config.id, work_id)

    def partner(self, name: str) -> Actor:
        return Actor(self.partners[name], ActorKind.PARTNER, ROLES["partner"])

    def undo(self, consultation_id: UUID, partner: str) -> None:
        self.run(self.partner(partner), consultations.undo_completion, consultation_id)

    def operator(self) -> Actor:
        """Somebody who runs the platform."""
        return Actor(new_id(), ActorKind.OPERATOR, ROLES["operator"])

    def cancel(self, consultation_id: UUID, *, by: Actor | None = None, reason: str = "other", **values: Any) -> None:
        self.run(by or self.client, consultations.cancel, self.config, consultation_id, reason, **values)

    def move(self, consultation_id: UUID, to: datetime) -> None:
        self.run(self.client, consultations.move, consultation_id, to)

    def arrive(self, consultation_id: UUID, who: Actor) -> None:
        self.run(who, consultations.arrive, consultation_id)

    def report(self, consultation_id: UUID, who: Actor, missing: str) -> None:
        self.run(who, consultations.report_absence, consultation_id, Party(missing))

    def stand_in(self, consultation_id: UUID, partner: str, starts_at: datetime) -> UUID:
        """Another expert stands in for the one of this session."""
        wanted = consultations.Hold(new_id(), self.partners[partner], starts_at)
        _, provider = self.parts.providers.chain(self.config, "payments")[0]
        self.run(self.client, life.rescue, self.config, consultation_id, wanted, provider.windows())
        return wanted.consultation_id

    def rate(self, consultation_id: UUID, stars: int, comment: str = "", *, public: bool = True) -> None:
        self.run(self.client, ratings.rate, consultation_id, stars, comment, public=public)

    def answer_bank(self, consultation_id: UUID, answer: str) -> None:
        """The client says `approve` or `refuse` on the bank's page, and does not come back."""
        [(url,)] = self.rows("select challenge_url from payments where consultation_id = %(id)s", id=consultation_id)
        page = self.outside(url, data={"answer": answer})
        assert page.status_code == 303, page.text

    def notice(
        self,
        work_id: UUID,
        event_id: str,
        *,
        kind: str = "payment.authorised",
        reference: str = "sp_x",
        secret: str | None = None,
    ) -> TestResponse:
        """The card network announces that something about this attempt has changed, through the hooks host."""
        body = orjson.dumps(
            {
                "id": event_id,
                "kind": kind,
                "reference": reference,
                "order_reference": str(work_id),
                "created": system_now().isoformat(),
            }
        )
        signature = webhooks.sign(secret or webhook_secret(), body, system_now())
        return self.outside("http://hooks.localhost/payments_sandbox", data=body, headers={webhooks.HEADER: signature})

    @staticmethod
    def outside(url: str, **request: Any) -> TestResponse:
        """A request from outside, which shares no context with the test."""
        with Context().run(flask.current_app.test_client().post, url, **request) as answer:
            found: TestResponse = answer
        return found

    # What time does

    def work(self) -> list[Outcome]:
        return clock.work_until_quiet(self.parts)

    def live_until(self, moment: datetime) -> None:
        clock.live_until(self.parts, moment)

    def live(self, by: timedelta) -> None:
        clock.live_until(self.parts, self.now + by)

    def sleep_until(self, moment: datetime) -> None:
        """Time passes and nobody works."""
        clock.move_to(self.parts, moment)

    def subscribe(self) -> None:
        """The standing over all tenants catches up with the log, once no older transaction of the server hides its end."""
        hidden = "select count(*) from events where txid >= pg_snapshot_xmin(pg_current_snapshot())"
        assert wait_until(lambda: self.rows(hidden) == [(0,)], 10)
        for subscription in self.parts.subscriptions:
            while advance(subscription, self.parts.store.keyring):
                pass

    def ahead(self, by: timedelta) -> datetime:
        """The full hour at least so far ahead."""
        return (self.now + by + timedelta(minutes=59, seconds=59)).replace(minute=0, second=0, microsecond=0)

    # What everybody can see

    def events(self, consultation_id: UUID, *kinds: str) -> list[str]:
        """The types of what happened to the booking, its payment and its meeting, in the order of the log."""
        streams = [consultation_id, payment_id_of(consultation_id), meeting_id_of(consultation_id)]
        found = self.rows("select type from events where stream_id = any(%(ids)s) order by txid, position", ids=streams)
        return [name for (name,) in found if not kinds or name.startswith(kinds)]

    def state(self, consultation_id: UUID) -> str:
        return str(self.rows("select state from consultations where id = %(id)s", id=consultation_id)[0][0])

    def payment(self, consultation_id: UUID) -> tuple[str, str | None]:
        """How the payment stands, and why."""
        [(state, reason)] = self.rows("select state, reason from payments where consultation_id = %(id)s", id=consultation_id)
        return state, reason

    def effects(self, *kinds: str) -> list[str]:
        """What really happened at the card network, in order."""
        found = self.rows("select kind from plugin_payments_sandbox.effects order by at, id")
        return [kind for (kind,) in found if not kinds or kind in kinds]

    def attempts(self) -> list[str]:
        """How each attempt stands at the card network, oldest first."""
        return [
            status for (status,) in self.rows("select status from plugin_payments_sandbox.attempts order by made_at, reference")
        ]

    def join_url(self, consultation_id: UUID) -> str | None:
        found = self.rows("select join_url from meetings where consultation_id = %(id)s", id=consultation_id)
        return found[0][0] if found else None

    def mails(self, kind: str = "", to: str = "") -> list[Message]:
        """What was mailed in this tenant, oldest first."""
        kept = [item.message for item in reversed(outbox(self.config.id))]
        return [message for message in kept if message.kind.startswith(kind) and to in ("", message.to_address)]

    def kinds(self, to: str = "") -> list[str]:
        """The kinds of mails to this address, oldest first."""
        return [message.kind for message in self.mails(to=to)]

    def alarms(self) -> list[str]:
        return [kind for (kind,) in self.rows("select kind from alarms order by raised_at")]

    def dead(self) -> list[str]:
        """The kinds of work that was given up."""
        return [kind for (kind,) in self.rows("select kind from work where state = 'dead' order by created_at")]

    def taken(self, partner: str) -> list[datetime]:
        """The times of the partner that somebody has."""
        found = self.rows("select starts_at from partner_time where partner_id = %(p)s order by 1", p=self.partners[partner])
        return [start for (start,) in found]

    # The tenant's record

    def reconfigured(
        self, *, providers: dict[str, list[str]] | None = None, required: list[str] | None = None, **settings: Any
    ) -> Story:
        """The same world after the tenant has chosen other providers with these settings, or marked plugins as required.

        With other settings a provider is made anew, and so is its breaker, which counts real seconds.
        """
        chosen = {port: [{"name": name, "settings": settings} for name in names] for port, names in (providers or {}).items()}
        self.rows(
            "update tenants set providers = %(p)s, required_plugins = %(r)s where id = %(t)s returning id",
            p=Jsonb(chosen), r=required or [], t=self.config.id,
        )  # fmt: skip
        return self.of(self.parts.records.by_slug(self.config.slug), self.client)

    def of(self, config: TenantConfig, client: Actor) -> Story:
        """The same world as a client of that tenant sees it."""
        return Story(self.settings, self.parts, config, client, self.partners)


def webhook_secret() -> str:
    """What the card network signs with."""
    from fxo import platform

    secret: str = platform.platform_settings(platform.current().settings)["payments_sandbox"]["webhook_secret"]
    return secret


def ics(message: Message) -> icalendar.Event:
    """The invitation in a mail."""
    [attachment] = message.attachments
    [event] = icalendar.Calendar.from_ical(attachment.content).walk("VEVENT")
    return event


@contextmanager
def story(databases: Any, *plugins: object, **values: Any) -> Iterator[Story]:
    """A world with these plugins beside the installed ones."""
    with world(databases, extra_plugins=plugins, **values) as made:
        yield Story(made.settings, made.parts, made.config, made.client, made.partners)


Tell = Callable[..., Story]
