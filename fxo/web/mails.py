"""How a message looks: the branded HTML layout and its plain-text twin."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask
from jinja2 import Environment

from fxo.core.notifications.reactions import Content, Layout
from fxo.core.scope import TenantConfig
from fxo.web.assets import PLATFORM_BRAND
from fxo.web.theme import palette


def layout(app: Flask) -> Layout:
    """The layout that core hands every message to."""

    @cache
    def plain() -> Environment:
        return app.jinja_env.overlay(autoescape=False, trim_blocks=False, lstrip_blocks=False)

    def render(config: TenantConfig, content: Content) -> tuple[str, str]:
        values: dict[str, Any] = {
            "subject": content.subject, "preview": content.paragraphs[0] if content.paragraphs else content.heading,
            "brand": {
                "name": config.name, "url": config.portal_url, "logo_text": config.brand.get("logo_text", config.name),
                "line": config.brand.get("tagline", "fractional technology leaders by the hour"),
            },
            "palette": palette(config.brand.get("colour", PLATFORM_BRAND)),
            "greeting": "", "heading": content.heading, "paragraphs": list(content.paragraphs),
            "action": {"label": content.action[0], "url": content.action[1]} if content.action else None,
            "after_action": "", "details": [], "sections": [],
            "footer": ["You get this because of a session booked here."], "footer_link": None,
        }  # fmt: skip
        text = plain().get_template("mail/message.txt").render(values)
        return text, app.jinja_env.get_template("mail/message.html").render(values)

    return render
