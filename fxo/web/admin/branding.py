"""Branding with a live preview: name, colour, logo and words of the portal, published as a whole; and the logo itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.errors import Invalid, NotFound
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import branding, logos
from fxo.tenants.branding import EXAMPLES, LIMITS, QUESTIONS, BrandingChanged
from fxo.web import choices, forms, identity, shown
from fxo.web.admin import branding_form
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.assets import PLATFORM_BRAND
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.portal import words
from fxo.web.said import done
from fxo.web.theme import Accent, contrast, palette, scope_css

_HERE = "/admin/branding"


@blueprint.get("/branding")
@identity.needs(Permission.MANAGE_TENANT)
def form() -> ResponseReturnValue:
    """The form with what stands, and a preview of it."""
    return _form(branding.of(here().tenant), None, {})


def _form(
    wanted: BrandingChanged, typed: Mapping[str, str] | None, errors: Mapping[str, str], status: int = 200, *,
    unpublished: bool = False,
) -> ResponseReturnValue:  # fmt: skip
    config = here().tenant
    with reading() as tx:
        versions = branding.versions(tx)
    colour = wanted.colour or PLATFORM_BRAND
    zone = identity.required().zone
    return page(
        "admin/branding.html", form=branding_form.fields(wanted, typed), errors=errors, limits=LIMITS,
        examples=range(EXAMPLES), questions=range(QUESTIONS), industries=choices.industries(), urgencies=choices.urgencies(),
        logo={"hash": wanted.logo, "url": logos.url_of(wanted.logo), "largest": logos.LARGEST},
        colour={"value": colour, "css": f"{_HERE}/preview.css?colour={colour.removeprefix('#')}", "checks": _checks(colour)},
        portal_url=config.portal_url, preview=_preview(config, wanted), unpublished=unpublished, form_errors=len(errors),
        versions=[
            {"number": each.number, "at": shown.time(each.at, zone), "name": each.branding.portal_name,
             "headline": each.branding.headline or _("The platform's own headline"), "current": n == 0}
            for n, each in enumerate(versions[:8])
        ],
    ), status  # fmt: skip


def _preview(config: TenantConfig, wanted: BrandingChanged) -> dict[str, Any]:
    """What the preview shows: the words of the form, and the platform's own where there are none."""
    bare = replace(config, brand={})
    own = {
        "portal_name": config.name, "tagline": "", "logo_text": "", "headline": words.headline(bare), "lead": words.lead(bare),
        "privacy": words.privacy(bare),
    }  # fmt: skip
    titles = [each.title for each in words.examples(bare)]
    return {
        "own": own,
        "words": {name: getattr(wanted, name) or default for name, default in own.items()},
        "letter": (wanted.logo_text or wanted.portal_name or config.name)[:1].upper(),
        "logo_url": logos.url_of(wanted.logo),
        "examples": [each.title for each in wanted.examples] or titles,
        "own_examples": titles,
    }


def _checks(colour: str) -> list[dict[str, str]]:
    """How well text on and in the colour can be read, in light and in dark."""
    colours = palette(colour)
    grounds = {"light": "#ffffff", "dark": "#191917"}

    def ratio(one: Accent, ground: str) -> dict[str, float]:
        return {
            "label": contrast(one.on_accent, one.accent), "text": contrast(one.accent_text, ground),
            "edge": contrast(one.accent_edge, ground),
        }  # fmt: skip

    light, dark = ratio(colours.light, grounds["light"]), ratio(colours.dark, grounds["dark"])
    labels = {"label": _("Button labels"), "text": _("Links and text"), "edge": _("Edges of controls")}
    return [
        {"key": key, "label": label,
         "text": _("%(light)s:1 light, %(dark)s:1 dark", light=f"{light[key]:.1f}", dark=f"{dark[key]:.1f}")}
        for key, label in labels.items()
    ]  # fmt: skip


@blueprint.get("/branding/preview.css")
@identity.needs(Permission.MANAGE_TENANT)
def preview_css() -> ResponseReturnValue:
    """The colour of a preview, for browsers without scripts; nothing else of what was sent stands in it."""
    colour = branding_form.colour_from(request.args.get("colour", "")) or PLATFORM_BRAND
    return Response(scope_css(colour), mimetype="text/css")


@blueprint.post("/branding")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def publish() -> ResponseReturnValue:
    """Show a preview of what was typed, or publish it."""
    config = here().tenant
    logo, logo_error = _logo(config)
    typed = branding_form.read(request.form, logo)
    errors = dict(typed.errors) | ({"logo": logo_error} if logo_error else {})
    if errors or request.form.get("do") == "preview":
        return _form(typed.branding, request.form, errors, 422 if errors else 200, unpublished=True)
    try:
        before = run(branding.publish, config, typed.branding)
    except Invalid as error:
        return _form(typed.branding, request.form, {error.field or "portal_name": error.message}, 422, unpublished=True)
    if before is None:
        done(_("Nothing has changed: this is what people see already."))
    else:
        done(_("Published. Everybody sees it from their next page on."), f"{_HERE}/bring-back", {"version": str(before)})
    return redirect(_HERE, 303)


def _logo(config: TenantConfig) -> tuple[str, str]:
    """(hash, error): the picture that was sent, or the one that the form had; kept at once, so that no error loses it."""
    standing = logos.hash_of(str(config.brand.get("logo_url") or ""))
    kept = logos.hash_of(logos.url_of(request.form.get("logo_kept", "")))
    if request.form.get("logo_removed"):
        kept = ""
    sent = request.files.get("logo")
    if not sent or not sent.filename:
        return kept, ""
    try:
        picture = logos.read(sent.stream.read(logos.LARGEST + 1))
    except Invalid as error:
        return kept, error.message
    run(logos.keep, picture, standing)
    return picture.hash, ""


@blueprint.post("/branding/bring-back")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def bring_back() -> ResponseReturnValue:
    """Publish an earlier version again."""
    number = request.form.get("version", "")
    if not number.isascii() or not number.isdigit() or len(number) > 6:
        raise NotFound("There is no such version.")
    run(branding.bring_back, here().tenant, int(number))
    done(_("The earlier version is back. Everybody sees it from their next page on."))
    return redirect(_HERE, 303)
