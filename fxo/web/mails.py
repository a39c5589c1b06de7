"""How a message looks: the branded HTML layout and its plain-text twin, written from the sentences of the catalogue."""

from __future__ import annotations

from functools import cache
from urllib.parse import urljoin

from flask import Flask
from jinja2 import Environment

from fxo.core.notifications.letter import Layout, Letter, Rendered
from fxo.core.scope import TenantConfig
from fxo.web.assets import PLATFORM_BRAND
from fxo.web.mail_words import Markups, Words
from fxo.web.theme import palette


def layout(app: Flask) -> Layout:
    """The layout that core hands every message to."""

    @cache
    def plain() -> Environment:
        return app.jinja_env.overlay(autoescape=False, trim_blocks=False, lstrip_blocks=False)

    def render(config: TenantConfig, letter: Letter) -> Rendered:
        brand, colours = _brand(config), palette(config.brand.get("colour") or PLATFORM_BRAND)
        text, page = Words(letter).written(), Markups(letter, colours.light.accent_text).written()
        return Rendered(
            " ".join(text["subject"].split()),
            plain().get_template("mail/message.txt").render(text, brand=brand),
            app.jinja_env.get_template("mail/message.html").render(page, brand=brand, palette=colours),
            " ".join(text["short"].split()),
            text["action"]["url"] if text["action"] else "",
        )

    return render


def _brand(config: TenantConfig) -> dict[str, str]:
    """How the portal signs its mails. The logo's address is absolute, since a mail has no place of its own."""
    given = config.brand.get("logo_url") or ""
    logo = urljoin(config.portal_url + "/", given) if given else ""
    return {
        "name": config.name,
        "url": config.portal_url,
        "logo_text": config.brand.get("logo_text") or config.name,
        "logo_url": logo if logo.startswith(("https://", "http://")) else "",
        "line": config.brand.get("tagline") or "",
    }
