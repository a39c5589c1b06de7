"""create_app(): settings, extensions, plugins, blueprints. Building the app opens no connection and writes nothing."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader

from fxo import logs, platform
from fxo.core import db
from fxo.core.errors import FxoError
from fxo.core.work.perform import Probe
from fxo.settings import Settings
from fxo.web import assets, blueprints, errors, forms, identity, language, markup, paused, places, security, theme_choice
from fxo.web.mails import layout
from fxo.web.papers import print_receipt

HERE = Path(__file__).parent


class NotConfigured(FxoError):
    """A setting that the platform cannot run without is missing or unusable."""

    code = "not_configured"
    status = 500


def create_app(settings: Settings | None = None, *, extra_plugins: tuple[object, ...] = (), probe: Probe | None = None) -> Flask:
    """The application for these settings (by default from the environment).

    `extra_plugins` are loaded beside the installed ones; `probe` is told of each step of performing work.
    """
    settings = settings or Settings()
    _check(settings)
    app = places.HostFlask("fxo", static_folder=None, template_folder=None)
    app.config.update(
        db.configure(settings),
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=512 * 1024,
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        SESSION_COOKIE_NAME="__Host-fxo" if settings.public_scheme == "https" else "fxo",
        SESSION_COOKIE_SECURE=settings.public_scheme == "https",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    logs.configure(settings)
    db.db.init_app(app)
    built = platform.build(app, settings, layout(app), print_receipt(app), extra=extra_plugins, probe=probe)
    app.extensions["fxo"] = built
    folders = [HERE / "web" / "templates", HERE / "web", *(folder for _, folder in built.plugins.folders("fxo_templates"))]
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])  # type: ignore[assignment]
    app.jinja_environment = markup.Pages
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for part in (logs, language, places, security, assets, markup, identity, theme_choice, forms, paused, errors, blueprints):
        part.init_app(app)
    return app


def _check(settings: Settings) -> None:
    if len(settings.secret_key.get_secret_value()) < 32:
        raise NotConfigured("Set FXO_SECRET_KEY to 32 random characters or more, for example from `openssl rand -hex 32`.")
    try:
        right = len(bytes.fromhex(settings.master_key.get_secret_value())) == 32
    except ValueError:
        right = False
    if not right:
        raise NotConfigured("Set FXO_MASTER_KEY to 64 hex digits, for example from `openssl rand -hex 32`, and keep it safe.")
    if not settings.database_url:
        raise NotConfigured("Set FXO_DATABASE_URL, or run `fxo demo`, which brings its own database.")
