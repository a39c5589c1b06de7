"""Who is here: a member, partner or operator by Flask-Login, or a visitor by cookie; one cookie per host, bound to its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from fxo import platform
from fxo.core.clients import commands as clients
from fxo.core.clients import queries as client_rows
from fxo.core.clock import system_now
from fxo.core.errors import NotAllowed, NotFound, SignInNeeded
from fxo.core.ids import NETWORK, new_id, parse_id
from fxo.core.scope import Actor, ActorKind, Permission, Scope, operator_scope, partner_scope, tenant_scope
from fxo.tenants import members, network
from fxo.web.places import OPS, PARTNERS, PORTAL, here

IDLE = timedelta(hours=12)
"""After so long without a request one has to sign in again (PRD SR-1.2)."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class User(UserMixin):
    """Somebody who is signed in at this place."""

    actor: Actor
    name: str
    zone: str = "UTC"
    mail: str = ""
    theme: str | None = None
    """What they chose with their account, if they chose one."""

    def get_id(self) -> str:
        return str(self.actor.id)


def init_app(app: Flask) -> None:
    """Bind the cookie to its place and load who is signed in."""
    manager = LoginManager(app, add_context_processor=False)  # a page that says what is broken must not ask who is here
    manager.session_protection = None
    manager.user_loader(_load)

    @app.before_request
    def _bind() -> None:
        place = g.place
        if place.kind not in (PORTAL, PARTNERS, OPS) or request.endpoint is None:
            return
        seen = session.get("seen")
        stale = seen is not None and system_now() - datetime.fromisoformat(seen) > IDLE
        if session.get("place") != place.key or stale:
            session.clear()
        session["place"] = place.key
        if "_user_id" in session and (seen is None or system_now() - datetime.fromisoformat(seen) > timedelta(minutes=5)):
            session["seen"] = system_now().isoformat()


def _load(user_id: str) -> User | None:
    found, place = parse_id(user_id), here()
    if found is None:
        return None
    match place.kind:
        case "portal":
            with platform.current().store.transaction(tenant_scope(place.tenant.id), Actor(found, ActorKind.MEMBER)) as tx:
                known = members.signed_in(tx, found)
                if known is None:
                    return None
                try:
                    row = client_rows.find(tx, found)
                except NotFound:
                    return None
            return User(known[0], row.name, row.zone, row.email, known[1])
        case "partners":
            person = network.partner(found)
        case "ops":
            person = network.operator(found)
        case _:
            return None
    return User(person.actor, person.name, person.zone, theme=person.theme) if person else None


def sign_in(actor_id: UUID) -> None:
    """Begin a session for this person at this place, under a fresh cookie; a visitor's briefs become the member's."""
    visitor = visitor_id(make=False)
    place = session.get("place")
    session.clear()
    session["place"] = place
    session["seen"] = system_now().isoformat()
    user = _load(str(actor_id))
    if user is None:
        raise NotFound("There is no such account here.")
    login_user(user)
    if visitor and here().kind == PORTAL:
        platform.current().store.run(scope(), user.actor, clients.adopt, visitor)


def sign_out() -> None:
    """End the session."""
    logout_user()
    session.clear()


def visitor_id(*, make: bool = True) -> UUID | None:
    """The id of the visitor who is not signed in, from the cookie of this place."""
    found = parse_id(session.get("visitor", ""))
    if found is None and make:
        found = new_id()
        session["visitor"] = str(found)
        session.permanent = True
    return found


def me() -> User | None:
    """Who is signed in here."""
    return current_user if current_user.is_authenticated else None


def actor() -> Actor:
    """Who acts: who is signed in, or the visitor."""
    user = me()
    if user:
        return user.actor
    visitor = visitor_id()
    assert visitor is not None
    return Actor(visitor, ActorKind.VISITOR)


def scope() -> Scope:
    """Whose data this request may see, by its place and who is signed in."""
    place = here()
    match place.kind:
        case "portal":
            return tenant_scope(place.tenant.id)
        case "partners":
            return partner_scope(required().actor.id)
        case "ops":
            return operator_scope(required().actor.id)
    raise NotFound("There is no such page here.")


def required() -> User:
    """Who is signed in; `SignInNeeded` where nobody is."""
    user = me()
    if user is None:
        raise SignInNeeded("Please sign in.")
    return user


def needs(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for people with this permission; others are asked to sign in, or told no."""

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if not required().actor.may(permission):
                raise NotAllowed("Your account may not do this. Ask an administrator of your company if you need it.")
            return view(*args, **kwargs)

        return checked

    return wrap


def forms_scope() -> tuple[Scope, UUID]:
    """The scope and tenant under which this person's forms are kept."""
    place = here()
    return (scope(), place.tenant.id) if place.kind == PORTAL else (scope(), NETWORK)
