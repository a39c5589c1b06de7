"""The blueprints, each under the place where its people are."""

from __future__ import annotations

from flask import Flask

from fxo import platform
from fxo.web import (
    about,
    admin,
    api,
    auth,
    demo,
    health,
    hooks,
    invitation,
    logo,
    meet,
    operator,
    partner,
    portal,
    reset,
    styleguide,
    theme_choice,
)
from fxo.web.places import ALL, HOOKS, MEET, OPS, PARTNERS, PORTAL


def init_app(app: Flask) -> None:
    """Register every blueprint, ours and the plugins'."""
    for place in ALL:
        app.register_blueprint(health.blueprint, name="health" if place == PORTAL else f"health_{place}", subdomain=place)
    app.register_blueprint(portal.blueprint, subdomain=PORTAL)
    app.register_blueprint(api.blueprint, subdomain=PORTAL)
    for place in (PORTAL, PARTNERS, OPS):
        for each in (auth, reset, theme_choice, about, styleguide):
            app.register_blueprint(each.blueprint, name=f"{each.blueprint.name}_{place}", subdomain=place)
    for ours in (admin, invitation, logo):
        app.register_blueprint(ours.blueprint, subdomain=PORTAL)
    app.register_blueprint(partner.blueprint, subdomain=PARTNERS)
    app.register_blueprint(operator.blueprint, subdomain=OPS)
    app.register_blueprint(hooks.blueprint, subdomain=HOOKS)
    app.register_blueprint(meet.blueprint, subdomain=MEET)
    built: platform.Platform = app.extensions["fxo"]
    if built.settings.demo:
        for place in (PORTAL, PARTNERS, OPS):
            app.register_blueprint(demo.blueprint, name=f"demo_{place}", subdomain=place)
    for name, blueprint in built.plugins.contributions("fxo_blueprint"):
        app.register_blueprint(blueprint, name=f"plugin_{name}", url_prefix=f"/plugins/{name}", subdomain=PORTAL)
