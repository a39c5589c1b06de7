"""Static files under content hashes, and each tenant's theme as a file of its own."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory

from fxo.web.places import ALL, here
from fxo.web.theme import theme_css, theme_hash

FOLDER = Path(__file__).parent / "static"
PLATFORM_BRAND = "#14532d"
_FOREVER = "public, max-age=31536000, immutable"


@cache
def static_url(path: str) -> str:
    """The address of a static file, with its content hash."""
    return f"/static/{path}?v={hashlib.sha256((FOLDER / path).read_bytes()).hexdigest()[:10]}"


def theme_url(brand: str) -> str:
    """The address of the style sheet with the tenant's colours."""
    return f"/theme-{theme_hash(brand)}.css"


def brand_of_place() -> str:
    """The brand colour of the place: the tenant's, or the platform's own."""
    config = here().config
    return (config.brand.get("colour") if config else None) or PLATFORM_BRAND


def init_app(app: Flask) -> None:
    """Serve static files and themes at every place."""

    def static(path: str) -> Response:
        response = send_from_directory(FOLDER, path, conditional=True)
        if request.args.get("v"):
            response.headers["Cache-Control"] = _FOREVER
        else:
            response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    def theme(digest: str) -> Response:
        brand = brand_of_place()
        if not re.fullmatch(r"[0-9a-f]+", digest) or digest != theme_hash(brand):
            return Response("", 404)
        return Response(theme_css(brand), mimetype="text/css", headers={"Cache-Control": _FOREVER})

    for place in ALL:
        app.add_url_rule("/static/<path:path>", endpoint=f"static_{place}", view_func=static, subdomain=place)
        app.add_url_rule("/theme-<digest>.css", endpoint=f"theme_{place}", view_func=theme, subdomain=place)
    app.jinja_env.globals["static_url"] = static_url
