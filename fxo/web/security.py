"""Headers of every answer: the content policy and its friends. Nothing is inline, so no nonce is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Flask, Response, g, request

_POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "font-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "connect-src": ("'self'",),
    "manifest-src": ("'self'",),
    "form-action": ("'self'",),
    "frame-ancestors": ("'none'",),
    "base-uri": ("'none'",),
}


def allow(sources: Mapping[str, Sequence[str]]) -> None:
    """Add a provider's sources to this answer's policy; for checkout alone."""
    g.csp_sources = sources


def _payers(extra: Mapping[str, Sequence[str]]) -> str:
    """Who may ask the browser for a wallet: on a page with a card field that page and the provider's frames."""
    frames = (f'"{source}"' for source in extra.get("frame-src", ()) if "*" not in source)
    return " ".join(("self", *frames)) if "csp_sources" in g else ""


def init_app(app: Flask) -> None:
    """Put the headers on every answer."""

    @app.after_request
    def _headers(response: Response) -> Response:
        policy = dict(_POLICY)
        extra: Mapping[str, Sequence[str]] = g.get("csp_sources") or {}
        for directive, sources in extra.items():
            policy[directive] = (*policy.get(directive, ()), *sources)
        if "Content-Security-Policy" not in response.headers:
            response.headers["Content-Security-Policy"] = "; ".join(
                f"{name} {' '.join(sources)}" for name, sources in policy.items()
            )
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(" + _payers(extra) + ")"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        # A wallet opens a window of its own, and has to find its way back.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups" if extra else "same-origin"
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if not response.headers.get("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response
