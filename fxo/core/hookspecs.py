"""Every hook, with its contract: the one page that a plugin author reads.

Hooks register and announce; the verbs that move money or time are methods of the ports (`fxo.core.<slice>.port`).
A plugin is a module that implements some of these functions, each marked `@hookimpl`, under an entry point in the group
`fxo.plugins`. Its name is the entry point's. An implementation may leave out the arguments that it does not use.
A plugin is loaded once, when the platform starts; what does not fit is refused there, in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import pluggy

from fxo.core.money import Money

if TYPE_CHECKING:
    from pathlib import Path

    import click
    import flask
    from pydantic import BaseModel

    from fxo.core.calendars.port import CalendarProvider
    from fxo.core.matching.port import MatchingProvider
    from fxo.core.notifications.port import NotificationProvider
    from fxo.core.payments.port import PaymentProvider
    from fxo.core.plugins.context import ProviderContext

hookspec = pluggy.HookspecMarker("fxo")
hookimpl = pluggy.HookimplMarker("fxo")

PortName = Literal["matching", "calendars", "payments", "notifications"]
Area = Literal["portal", "partner", "admin", "operator"]


@dataclass(frozen=True, slots=True)
class OAuthSpec:
    """Where a person allows the provider to be used. The platform owns the pages, keeps the tokens sealed and renews them; the
    provider asks `context.connections` for one that is valid now.

    The application that people allow is the platform's, for all tenants: its settings have `client_id` and `client_secret`.
    `{name}` in an address stands for the field of that name.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    """As few as will do. Whoever leaves one of them out while consenting is asked again."""
    label: str = ""
    """What people call it, such as `Google Calendar`; left out, the plugin's name."""
    parameters: tuple[tuple[str, str], ...] = ()
    """Sent along to `authorize_url`, such as what makes it give a token that can be renewed."""
    revoke_url: str = ""
    """Where a token is given back (RFC 7009); left out, it is only forgotten."""


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """How the platform makes a provider, and what it has to know of it before it does."""

    name: str
    """The plugin's own name; its first word says the port (`matching_`, `calendar_`, `payments_`, `notifications_`)."""
    port: PortName
    factory: Callable[[ProviderContext], MatchingProvider | CalendarProvider | PaymentProvider | NotificationProvider]
    """Called once per tenant and settings, before the first use, under the same time limit. Import the SDK in here."""
    settings: type[BaseModel] | None = None
    """What a tenant fills in: gives the form, the validation, and which values are sealed (`SecretStr`)."""
    oauth: OAuthSpec | None = None
    live: bool = False
    """Whether it talks to the outside world; the demo, whose clock can be moved, refuses to start with one that does."""
    label: str = ""
    """What administrators call it, such as `Stripe`; left out, the name without its category."""
    check: Callable[[ProviderContext], None] | None = None
    """Asks the company outside whether these settings work, for the administrator's test button. It spends no money and reaches
    nobody, has the time limit of a call, and fails as the port does; left out, the platform makes a harmless call of the port.
    """


@dataclass(frozen=True, slots=True)
class Booking:
    """A consultation as hooks see it. No personal data: ask the platform by id where more is needed."""

    id: UUID
    tenant_id: UUID
    partner_id: UUID
    client_id: UUID
    starts_at: datetime
    """UTC, and so is `ends_at`."""
    ends_at: datetime
    price: Money
    state: str
    """As in the consultation's model: `held`, `confirmed`, `completed`, `cancelled` and so on."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody's right to be forgotten, as hooks see it: by ids alone."""

    tenant_id: UUID
    person_ids: tuple[UUID, ...]
    """The client, and every visitor they were before they signed up."""
    message_ids: tuple[str, ...]
    """`Message.id` of what was delivered to them, or to others about their sessions."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A link in the menu of one area; `permission` names what one must be allowed to do to see it."""

    label: str
    endpoint: str
    permission: str | None = None


# Registration. A plugin registers at most one provider, under its own name.


@hookspec
def fxo_register_matching_provider() -> ProviderSpec:
    """Offer a ranker of partners for a brief.

    When: once, at start. Allowed: nothing but returning the spec; no network, no SDK import, no database.
    Return: a `ProviderSpec` with `port="matching"`, whose factory makes a `MatchingProvider`.
    Failing: any exception stops the start, with a sentence that names the plugin.

        @hookimpl
        def fxo_register_matching_provider():
            return ProviderSpec("matching_acme", "matching", factory, settings=Settings, live=True)
    """
    raise NotImplementedError


@hookspec
def fxo_register_calendar_provider() -> ProviderSpec:
    """Offer a calendar that knows when partners are busy and makes meetings.

    When, allowed, failing: as for `fxo_register_matching_provider`.
    Return: a `ProviderSpec` with `port="calendars"`, whose factory makes a `CalendarProvider`; with `oauth` where each partner
    connects a calendar of their own.

        @hookimpl
        def fxo_register_calendar_provider():
            return ProviderSpec("calendar_acme", "calendars", factory, oauth=OAuthSpec(AUTHORIZE, TOKEN, ("free_busy",)))
    """
    raise NotImplementedError


@hookspec
def fxo_register_payment_provider() -> ProviderSpec:
    """Offer a company that holds, takes and returns money on cards.

    When, allowed, failing: as for `fxo_register_matching_provider`.
    Return: a `ProviderSpec` with `port="payments"`, whose factory makes a `PaymentProvider`. A payment stays with the provider
    that it was begun with, so keep the name for ever.

        @hookimpl
        def fxo_register_payment_provider():
            return ProviderSpec("payments_acme", "payments", factory, settings=Settings, live=True)
    """
    raise NotImplementedError


@hookspec
def fxo_register_notification_provider() -> ProviderSpec:
    """Offer a way to bring messages to people.

    When, allowed, failing: as for `fxo_register_matching_provider`.
    Return: a `ProviderSpec` with `port="notifications"`, whose factory makes a `NotificationProvider`.

        @hookimpl
        def fxo_register_notification_provider():
            return ProviderSpec("notifications_acme", "notifications", factory, settings=Settings, live=True)
    """
    raise NotImplementedError


# Booking and session. One asks, before; the others tell, after.


@hookspec
def fxo_booking_requested(booking: Booking, context: ProviderContext) -> str | None:
    """Say whether this booking may be made.

    When: a client asks for a slot, before any transaction; the page waits, 300 ms for each plugin.
    Allowed: reading, also from outside. The booking does not exist yet and may never do, so remember nothing about it.
    Return: None to agree, or the reason to refuse as a sentence for the client. The first reason ends the asking.
    Failing: an exception, a time-out or another kind of answer counts as agreement, unless the tenant has marked the plugin
    as required: then the booking is refused, with the hint to try later.

        @hookimpl
        def fxo_booking_requested(booking, context):
            if booking.price.minor > context.settings.budget:
                return "This session is over your team's budget. Ask your administrator."
    """
    raise NotImplementedError


@hookspec
def fxo_booking_confirmed(booking: Booking, context: ProviderContext) -> None:
    """Learn that a booking stands: the slot and the money are ours.

    When: from durable work, soon after the fact is recorded; perhaps twice, perhaps after a later fact of the same booking.
    Allowed: anything outside (calls, own tables), within the provider time limit. Nothing here can undo the booking.
    Return: nothing.
    Failing: an exception or a time-out is recorded, and this plugin alone is told again later.

        @hookimpl
        def fxo_booking_confirmed(booking, context):
            context.http.post(context.settings.crm_url, json={"id": str(booking.id), "at": booking.starts_at.isoformat()})
    """
    raise NotImplementedError


@hookspec
def fxo_booking_rescheduled(booking: Booking, context: ProviderContext) -> None:
    """Learn that a booking has a new time, which `booking` shows.

    When, allowed, return, failing: as for `fxo_booking_confirmed`.

        @hookimpl
        def fxo_booking_rescheduled(booking, context):
            context.state.put(f"moved/{booking.id}", booking.starts_at.isoformat())
    """
    raise NotImplementedError


@hookspec
def fxo_booking_cancelled(booking: Booking, context: ProviderContext) -> None:
    """Learn that a booking has ended without a session, whoever ended it.

    When, allowed, return, failing: as for `fxo_booking_confirmed`. The money may still be on its way back.

        @hookimpl
        def fxo_booking_cancelled(booking, context):
            context.state.delete(f"room/{booking.id}")
    """
    raise NotImplementedError


@hookspec
def fxo_session_started(booking: Booking, context: ProviderContext) -> None:
    """Learn that a session has begun: the first one has checked in, or its time has come.

    When, allowed, return, failing: as for `fxo_booking_confirmed`.

        @hookimpl
        def fxo_session_started(booking, context):
            context.log.info("session %s has begun", booking.id)
    """
    raise NotImplementedError


@hookspec
def fxo_session_completed(booking: Booking, context: ProviderContext) -> None:
    """Learn that a session was held. The capture of the money follows and is not part of this.

    When, allowed, return, failing: as for `fxo_booking_confirmed`. A completion can be undone for ten seconds; this comes after.

        @hookimpl
        def fxo_session_completed(booking, context):
            context.http.post(context.settings.timesheet_url, json={"partner": str(booking.partner_id), "minutes": 60})
    """
    raise NotImplementedError


@hookspec
def fxo_session_rated(booking: Booking, context: ProviderContext) -> None:
    """Learn that the client has rated the session. What they wrote stays with them and the tenant.

    When, allowed, return, failing: as for `fxo_booking_confirmed`; also when a rating was edited.

        @hookimpl
        def fxo_session_rated(booking, context):
            context.state.put("last_rated", str(booking.id))
    """
    raise NotImplementedError


@hookspec
def fxo_person_erased(erasure: Erasure, context: ProviderContext) -> None:
    """Forget somebody: their keys are destroyed, and whatever the plugin keeps of them in the clear has to go too.

    When: after the erasure, from durable work, perhaps more than once. Allowed: everything a provider may do.
    Return: nothing. Failing: an exception is tried again, for this plugin alone, and brought to the operator in the end.

        @hookimpl
        def fxo_person_erased(erasure, context):
            for person_id in erasure.person_ids:
                context.state.delete(f"contact/{person_id}")
    """
    raise NotImplementedError


# Contribution. All of these run once, at start.


@hookspec
def fxo_settings_model() -> type[BaseModel]:
    """Say what a tenant fills in for a plugin without a provider (one with a provider says it in its `ProviderSpec`).

    When: once, at start. Allowed: nothing but returning the class.
    Return: a subclass of pydantic's `BaseModel`; secrets are `SecretStr`. Hooks find the values in `context.settings`.
    Failing: any exception, or a model from which no form can be made, stops the start.

        @hookimpl
        def fxo_settings_model():
            return Settings
    """
    raise NotImplementedError


@hookspec
def fxo_blueprint() -> flask.Blueprint:
    """Add pages, under `/plugins/<name>/` on the portals.

    When: once, at start, after the platform's own pages. Allowed: building the blueprint; no app, no request is there yet.
    Return: a Flask `Blueprint` with the plugin's name. Its views run with the platform's session, permissions and CSP.
    Failing: any exception stops the start.

        @hookimpl
        def fxo_blueprint():
            from .pages import blueprint

            return blueprint
    """
    raise NotImplementedError


@hookspec
def fxo_menu_entries(area: Area) -> Sequence[MenuEntry]:
    """Add links to the menu of an area (`portal`, `partner`, `admin`, `operator`).

    When: once per area, at start. Allowed: nothing but returning values.
    Return: the entries, none for an area that has none.
    Failing: any exception stops the start.

        @hookimpl
        def fxo_menu_entries(area):
            return [MenuEntry("Budgets", "acme.budgets", "manage_tenant")] if area == "admin" else []
    """
    raise NotImplementedError


@hookspec
def fxo_cli_commands() -> Sequence[click.Command]:
    """Add commands, as `fxo <command>`.

    When: once, when the command line starts. Allowed: building click commands; heavy imports belong into their functions.
    Return: the commands; one with the name of the platform's own is refused.
    Failing: any exception stops the command line.

        @hookimpl
        def fxo_cli_commands():
            return [click.Command("acme-sync", callback=sync, help="Fetch the calendars once more.")]
    """
    raise NotImplementedError


@hookspec
def fxo_health_check() -> str | None:
    """Say whether what the plugin needs for all tenants is there.

    When: at each `fxo doctor` and `/readyz`, with a limit of 300 ms; never in a transaction.
    Allowed: looking, without changing anything or spending money.
    Return: None if all is well, or one sentence that says what is wrong and how to mend it.
    Failing: an exception or a time-out is shown as "does not answer". The platform stays up.

        @hookimpl
        def fxo_health_check():
            return None if shutil.which("acmed") else "acmed is not installed: apt-get install acmed"
    """
    raise NotImplementedError


@hookspec
def fxo_warm_up() -> None:
    """Load what a process's first request would otherwise wait for, such as a model.

    When: once in each web process that `fxo serve` starts, in a thread beside the first requests; never in a transaction.
    Allowed: loading files and computing; no network, no database, nothing that is not needed later anyway.
    Return: nothing.
    Failing: an exception is logged, and the first request loads it as if nothing had been done here.

        @hookimpl
        def fxo_warm_up():
            from .model import load

            load()
    """
    raise NotImplementedError


@hookspec
def fxo_templates() -> Path:
    """Add a folder of Jinja templates.

    When: once, at start. Allowed: nothing but returning the path.
    Return: the folder; its files stand in a subfolder with the plugin's name. They add, they do not replace the platform's.
    Failing: any exception, or a folder that is not there, stops the start.

        @hookimpl
        def fxo_templates():
            return Path(__file__).parent / "templates"
    """
    raise NotImplementedError


@hookspec
def fxo_migrations() -> Path:
    """Bring tables of the plugin's own, in the schema `plugin_<name>` and nowhere else.

    When: at `fxo db migrate`, after the platform's own, as the role that owns the tables; each file once.
    Allowed: creating the schema and what is in it. Each table has row level security enabled and forced, policies that name a
    role, and grants. `{owner}`, `{app}`, `{tenant}`, `{partner}`, `{operator}` and `{system}` stand for our roles; other braces
    are doubled.
    Return: a folder of files `0001_what.sql`, `0002_...`; a file that has run is never changed.
    Failing: an exception or an error in a file stops the migration, and nothing of it has happened.

        @hookimpl
        def fxo_migrations():
            return Path(__file__).parent / "migrations"
    """
    raise NotImplementedError


HOOKS: tuple[str, ...] = tuple(name for name in globals() if name.startswith("fxo_"))
"""The names of all hooks, in the order of this page."""

OBSERVERS: tuple[str, ...] = tuple(
    name for name in HOOKS if name.startswith(("fxo_booking_", "fxo_session_")) and name != "fxo_booking_requested"
)
"""The hooks that tell what has happened."""
