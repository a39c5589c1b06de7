"""Which host a request came to, and so whose place it is: a tenant's portal, the partners' or operators' workspace, and so on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Flask, Request, Response, g, redirect, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from fxo import platform
from fxo.core.errors import NotFound
from fxo.core.events.store import request_id
from fxo.core.scope import TenantConfig

PORTAL, PARTNERS, OPS, HOOKS, MEET, HOME = "portal", "partners", "ops", "hooks", "meet", "home"
ALL = (PORTAL, PARTNERS, OPS, HOOKS, MEET, HOME)
API = "/api/"
"""Begins the addresses for programs: no cookie, a key instead, and every error as problem+json."""
_HOST = re.compile(r"[a-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the request came to; `config` is the tenant's on a portal."""

    kind: str
    host: str
    config: TenantConfig | None = None

    @property
    def tenant(self) -> TenantConfig:
        if self.config is None:
            raise NotFound("There is no such page here.")
        return self.config

    @property
    def key(self) -> str:
        """What a cookie of this place is bound to."""
        return f"{self.kind}:{self.config.id}" if self.config else self.kind


class HostFlask(Flask):
    """Flask that routes by place: the rules of a blueprint stand under the place's name, whatever host the place has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, subdomain_matching=True, **kwargs)
        self.url_map.merge_slashes = False  # its redirect would lead to the place's name, which is no host

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is None:
            return self.url_map.bind("fxo.invalid", subdomain=PORTAL)
        return self.url_map.bind(
            "fxo.invalid",
            subdomain=kind_of(request.host, platform_base(self)),
            path_info=request.path,
            default_method=request.method,
            query_args=request.query_string.decode("latin-1"),
            url_scheme=request.scheme,
        )


def platform_base(app: Flask) -> str:
    return str(app.extensions["fxo"].settings.base_domain)


def kind_of(host: str, base: str) -> str:
    """The kind of place that a Host header names; any host that is not the platform's own may be a portal."""
    name = host.lower().rpartition(":")[0] if ":" in host else host.lower()
    if name == base:
        return HOME
    label = name.removesuffix("." + base) if name.endswith("." + base) else ""
    return label if label in (PARTNERS, OPS, HOOKS, MEET) else PORTAL


def is_name(host: str) -> bool:
    """Whether it can be the name of a host at all."""
    return _HOST.fullmatch(host) is not None


def init_app(app: Flask) -> None:
    """Resolve the place before anything else; unknown hosts are 404."""
    settings = app.extensions["fxo"].settings
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]

    @app.before_request
    def _begin() -> Response | None:
        g.begun = datetime.now(UTC)
        request_id.set(uuid4().hex)
        name = (request.host.rpartition(":")[0] if ":" in request.host else request.host).lower()
        if (request.endpoint or "").startswith(("health", "static")):
            g.place = Place("any", name)
            return None
        kind = kind_of(request.host, settings.base_domain)
        if kind == HOME:
            return redirect(settings.url(settings.host(settings.home_tenant), "/"), 302)  # type: ignore[return-value]
        if not is_name(name) or "\x00" in request.path:
            raise NotFound("There is no portal here.")
        g.place = Place(kind, name, platform.current().records.by_host(name) if kind == PORTAL else None)
        return None

    @app.teardown_request
    def _end(_: BaseException | None) -> None:
        request_id.set("")


def is_api() -> bool:
    """Whether a program asks, at an address of the API."""
    return request.path.startswith(API)


def here() -> Place:
    """The place of this request."""
    found: Place = g.place
    return found
