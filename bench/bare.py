"""What the portal's pages are compared with: one page of as many bytes, by Flask alone, with one query and one template."""

from __future__ import annotations

from flask import Flask, render_template_string
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from fxo.core.db import engine_options
from fxo.settings import Settings

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}</title></head>
<body><h1>{{ name }}</h1>{{ body }}</body></html>
"""


def app() -> Flask:
    """The application, on the database of the settings in the environment."""
    settings, made, db = Settings(), Flask(__name__), SQLAlchemy()
    made.config.update(SQLALCHEMY_DATABASE_URI=settings.login_url("system"), SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings))
    db.init_app(made)

    @made.get("/healthz")
    def healthz() -> str:
        return "ok"

    @made.get("/<int:size>")
    def page(size: int) -> str:
        name = db.session.execute(text("select name from tenants where slug = :slug"), {"slug": "fortium"}).scalar_one()
        return render_template_string(PAGE, name=name, body="x" * (size - len(PAGE) + 10))

    return made
