"""Receipts and credit notes as PDFs: one page in the tenant's look, with everything that was fixed when it was issued."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, Response

from fxo.core.payments.outcomes import Paper
from fxo.core.payments.receipts import Receipt, code_of
from fxo.core.scope import TenantConfig
from fxo.web.assets import PLATFORM_BRAND
from fxo.web.language import _
from fxo.web.theme import palette

FONTS = Path(__file__).parent / "paper_fonts"
TEXT, STRONG, DISPLAY = "instrument-sans-regular", "instrument-sans-semibold", "newsreader-display-medium"
_INK, _MUTED, _LINE = "#1c1b19", "#66645e", "#d9d6cf"
_LEFT, _RIGHT = 64, 595 - 64
"""The edges of the text on A4, in points."""
_WIDEST = 44
"""Characters of a name or address that fit on a line."""


def print_receipt(app: Flask) -> Callable[[TenantConfig, Receipt], bytes]:
    """The printer that core hands every receipt to."""

    def write(config: TenantConfig, receipt: Receipt) -> bytes:
        with app.app_context():
            return pdf(config, receipt)

    return write


def response(config: TenantConfig, receipt: Receipt) -> Response:
    """The document as a download."""
    headers = {"Content-Disposition": f"attachment; filename={receipt.code}.pdf", "Cache-Control": "private, no-store"}
    return Response(pdf(config, receipt), mimetype="application/pdf", headers=headers)


@cache
def _fonts() -> None:
    """Register the typefaces, which have all letters of the Latin scripts of Europe, once."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (TEXT, STRONG, DISPLAY):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))


def pdf(config: TenantConfig, receipt: Receipt) -> bytes:
    """The document as a PDF of one page (A4)."""
    from reportlab.pdfgen.canvas import Canvas

    _fonts()
    body = BytesIO()
    canvas = Canvas(body, pagesize=(595, 842), invariant=1)
    page = _Page(canvas, palette(config.brand.get("colour") or PLATFORM_BRAND).light.accent)
    credit = receipt.kind is Paper.CREDIT_NOTE
    title = _("Credit note") if credit else _("Receipt")
    canvas.setTitle(f"{title} {receipt.code}")
    canvas.setAuthor(config.name)
    page.bar()
    page.text(_LEFT, 770, config.name, STRONG, 12)
    if receipt.seller.strip() != config.name:
        page.lines(_RIGHT, 770, receipt.seller.splitlines(), right=True)
    page.text(_LEFT, 668, title, DISPLAY, 34)
    page.text(_RIGHT, 676, receipt.code, STRONG, 13, right=True)
    page.text(_RIGHT, 660, _date(receipt), TEXT, 10, _MUTED, right=True)
    page.rule(640)
    page.label(_LEFT, 614, _("Billed to"))
    page.lines(_LEFT, 597, [line for line in (receipt.billed_to, receipt.company) if line])
    page.label(320, 614, _("For"))
    page.lines(320, 597, _for(receipt))
    y = _table(page, receipt, credit)
    page.lines(_LEFT, y - 30, _notes(receipt), colour=_MUTED)
    page.rule(86)
    foot = [config.portal_url.partition("://")[2]] + ([_("Tax number %(id)s", id=receipt.tax_id)] if receipt.tax_id else [])
    page.text(_LEFT, 66, "  ·  ".join(foot), TEXT, 9, _MUTED)
    page.text(_RIGHT, 66, receipt.code, TEXT, 9, _MUTED, right=True)
    canvas.showPage()
    canvas.save()
    return body.getvalue()


def _date(receipt: Receipt) -> str:
    local = receipt.issued_at.astimezone(ZoneInfo("UTC"))
    return f"{local.day} {local:%B %Y}"


def _for(receipt: Receipt) -> list[str]:
    what = {"session": _("60-minute session with"), "cancelled": _("Fee for a cancelled session with")}.get(
        receipt.what, _("Fee for a missed session with")
    )
    starts_at = receipt.starts_at.astimezone(ZoneInfo("UTC"))
    return [what, receipt.expert, f"{starts_at.day} {starts_at:%B %Y, %H:%M} UTC"]


def _table(page: _Page, receipt: Receipt, credit: bool) -> float:
    """The amounts, net, tax, and in all; returns where it ends."""
    net = receipt.amount - receipt.tax
    rows = [(_("Given back") if credit else _("Session") if receipt.what == "session" else _("Fee"), net.exact)]
    if receipt.tax_rate:
        rate = f"{receipt.tax_rate / 100:g}"
        rows.append((_("%(name)s, %(rate)s%%", name=receipt.tax_name, rate=rate), receipt.tax.exact))
    y = 500.0
    page.rule(y + 22)
    for label, value in rows:
        page.text(_LEFT, y, label, TEXT, 11)
        page.text(_RIGHT, y, value, TEXT, 11, right=True)
        page.rule(y - 12)
        y -= 34
    page.text(_LEFT, y - 6, _("Total given back") if credit else _("Total paid"), STRONG, 13)
    page.text(_RIGHT, y - 6, receipt.amount.exact, STRONG, 13, right=True)
    page.rule(y - 22, strong=True)
    return y - 22


def _notes(receipt: Receipt) -> list[str]:
    if receipt.kind is Paper.CREDIT_NOTE and receipt.for_receipt:
        return [_("This corrects receipt %(code)s.", code=code_of(Paper.RECEIPT, receipt.for_receipt))]
    return [_("Paid. Thank you.")]


class _Page:
    """A few strokes on a page; y counts from the bottom."""

    def __init__(self, canvas: object, accent: str) -> None:
        self.canvas: object = canvas
        self.accent = accent

    def _ink(self, colour: str) -> None:
        from reportlab.lib.colors import HexColor

        self.canvas.setFillColor(HexColor(colour))  # type: ignore[attr-defined]
        self.canvas.setStrokeColor(HexColor(colour))  # type: ignore[attr-defined]

    def bar(self) -> None:
        """The tenant's colour along the top."""
        self._ink(self.accent)
        self.canvas.rect(0, 842 - 8, 595, 8, stroke=0, fill=1)  # type: ignore[attr-defined]

    def rule(self, y: float, *, strong: bool = False) -> None:
        self._ink(self.accent if strong else _LINE)
        self.canvas.setLineWidth(1.5 if strong else 0.75)  # type: ignore[attr-defined]
        self.canvas.line(_LEFT, y, _RIGHT, y)  # type: ignore[attr-defined]

    def text(
        self, x: float, y: float, text: str, font: str = TEXT, size: float = 10.5, colour: str = _INK, *, right: bool = False
    ) -> None:
        self._ink(colour)
        self.canvas.setFont(font, size)  # type: ignore[attr-defined]
        draw = self.canvas.drawRightString if right else self.canvas.drawString  # type: ignore[attr-defined]
        draw(x, y, text)

    def label(self, x: float, y: float, text: str) -> None:
        self.text(x, y, text, TEXT, 9, _MUTED)

    def lines(self, x: float, y: float, lines: list[str], *, right: bool = False, colour: str = _INK) -> None:
        """Lines below each other; what is too long is broken at a space."""
        for line in (part for each in lines for part in _broken(each)):
            self.text(x, y, line, TEXT, 10.5, colour, right=right)
            y -= 15


def _broken(line: str) -> list[str]:
    parts: list[str] = []
    for word in line.split():
        if parts and len(parts[-1]) + len(word) < _WIDEST:
            parts[-1] += " " + word
        else:
            parts.append(word[:_WIDEST])
    return parts
