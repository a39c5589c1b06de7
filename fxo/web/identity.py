"""Who is here: a member, partner or operator by Flask-Login, or a visitor by cookie; one cookie per host, bound to its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from fxo import platform
from fxo.core.clients import commands as clients
from fxo.core.clock import system_now
from fxo.core.errors import NotAllowed, NotFound, SignInNeeded
from fxo.core.ids import NETWORK, new_id, parse_id
from fxo.core.scope import CODE, Actor, ActorKind, Permission, Scope, operator_scope, partner_scope, system_scope, tenant_scope
from fxo.tenants import members, network, sign_ins
from fxo.tenants.sign_ins import IDLE, OFTEN
from fxo.web import browsers
from fxo.web.places import OPS, PARTNERS, PORTAL, here, is_api

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
        if place.kind not in (PORTAL, PARTNERS, OPS) or request.endpoint is None or is_api():
            return
        seen = session.get("seen")
        stale = seen is not None and system_now() - datetime.fromisoformat(seen) > IDLE
        if session.get("place") != place.key or stale:
            session.clear()
        if "place" not in session:
            session["place"] = place.key  # a cookie is sent again only where it says something new
        if _looks_by_itself():
            return
        if "_user_id" in session and (seen is None or system_now() - datetime.fromisoformat(seen) > OFTEN):
            session["seen"] = system_now().isoformat()


def _looks_by_itself() -> bool:
    """Whether the page asks again by itself; that keeps nobody signed in."""
    return "X-Poll" in request.headers or request.headers.get("HX-Trigger") == "looks-again"


def _load(user_id: str) -> User | None:
    found, sign_in_id = parse_id(user_id), current_sign_in()
    if found is None or sign_in_id is None or here().kind not in (PORTAL, PARTNERS, OPS):
        return None
    run, who, seen = platform.current().store.run, Actor(found, ActorKind.MEMBER), not _looks_by_itself()
    if here().kind == PORTAL:
        return _user(run(account_scope(), who, members.signed_in, found, sign_in_id, seen=seen))
    lives = run(account_scope(), who, sign_ins.lives, sign_in_id, found, seen=seen)
    return _of_the_network(found) if lives else None


def _user(member: members.Member | None) -> User | None:
    return User(member.actor, member.name, member.zone, member.mail, member.theme) if member else None


def _of_the_network(found: UUID) -> User | None:
    person = network.partner(found) if here().kind == PARTNERS else network.operator(found)
    return User(person.actor, person.name, person.zone, theme=person.theme) if person else None


def sign_in(actor_id: UUID) -> None:
    """Begin a session for this person at this place, under a fresh cookie; a visitor's briefs become the member's."""
    visitor = visitor_id(make=False)
    place, earlier = session.get("place"), current_sign_in()
    session.clear()
    store = platform.current().store
    if here().kind == PORTAL:
        user = _user(store.run(account_scope(), Actor(actor_id, ActorKind.MEMBER), members.find, actor_id))
    else:
        user = _of_the_network(actor_id)
    if user is None:
        raise NotFound("There is no such account here.")
    if earlier:
        store.run(account_scope(), CODE, sign_ins.end, earlier)
    begun = store.run(account_scope(), CODE, sign_ins.begin, actor_id, browsers.named(request.user_agent.string))
    if here().kind == PORTAL:
        store.run(account_scope(), user.actor, members.note_sign_in, actor_id)
    session["place"] = place
    session["seen"] = system_now().isoformat()
    session["sign_in"] = str(begun)
    login_user(user)
    if visitor and here().kind == PORTAL:
        store.run(scope(), user.actor, clients.adopt, visitor)


def sign_out() -> None:
    """End the session."""
    if (mine := current_sign_in()) is not None:
        platform.current().store.run(account_scope(), CODE, sign_ins.end, mine)
    logout_user()
    place = session.get("place")
    session.clear()
    session["place"] = place  # what is said next stays in the cookie


def current_sign_in() -> UUID | None:
    """The sign-in that this browser's cookie names."""
    return parse_id(session.get("sign_in", ""))


def account_scope() -> Scope:
    """Where the accounts of this place live: a portal's in its tenant, partners' and operators' in the network."""
    place = here()
    return tenant_scope(place.tenant.id) if place.kind == PORTAL else system_scope("sign_in")


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
    user = current_user._get_current_object()  # once: the proxy looks again for each attribute
    return user if user.is_authenticated else None


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
