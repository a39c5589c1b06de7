"""Whatever colour a tenant chooses, what is written in it can be read."""

import random
import re
from pathlib import Path

import pytest

from fxo.web.theme import Accent, contrast, oklch_hex, palette, theme_css, theme_hash

TOKENS = (Path(__file__).parents[2] / "fxo/web/static/tokens.css").read_text()
RANDOM = random.Random(800)
BRANDS = [f"#{RANDOM.randrange(0x1000000):06x}" for _ in range(500)]
EXTREMES = ["#000000", "#ffffff", "#ffff00", "#0000ff", "#00ff00", "#ff00ff", "#808080", "#104e39", "#fab117"]


def neutral(step: int) -> str:
    """A step of the neutral ramp, as the style sheet has it."""
    found = re.search(rf"--n{step}: oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", TOKENS)
    assert found, f"--n{step} is gone from tokens.css"
    lightness, chroma, hue = map(float, found.groups())
    return oklch_hex(lightness, chroma, hue)


# paper, surface, sunken, raised, hover, hover-raised
LIGHT = [neutral(step) for step in (0, 50, 100)]
DARK = [neutral(step) for step in (850, 900, 925, 950, 1000)]


def shortfalls(accent: Accent, grounds: list[str]) -> list[str]:
    floors = [("label", accent.on_accent, accent.accent, 4.5), ("label, hover", accent.on_accent, accent.accent_hover, 4.5)]
    floors += [("text", accent.accent_text, ground, 4.5) for ground in [*grounds, accent.accent_wash]]
    floors += [("edge", accent.accent_edge, ground, 3.0) for ground in grounds]
    return [f"{name}: {one} on {other}" for name, one, other, floor in floors if contrast(one, other) < floor]


def test_every_brand_can_be_read_in_light_and_in_dark() -> None:
    bad = {}
    for brand in BRANDS + EXTREMES:
        colours = palette(brand)
        if short := shortfalls(colours.light, LIGHT) + shortfalls(colours.dark, DARK):
            bad[brand] = short
    assert not bad


def test_every_surface_is_among_those_that_brands_are_checked_on() -> None:
    roles = re.findall(
        r"--(?:paper|surface|sunken|raised|hover|hover-raised): light-dark\(var\(--n(\d+)\), var\(--n(\d+)\)\)", TOKENS
    )
    assert len(roles) == 6
    assert {neutral(int(light)) for light, _ in roles} <= set(LIGHT)
    assert {neutral(int(dark)) for _, dark in roles} <= set(DARK)


def token(name: str) -> tuple[str, str]:
    """A colour of the style sheet in light and in dark, as hex."""
    found = re.search(rf"--{name}: light-dark\((.+?\)), (.+?\))\);", TOKENS)
    assert found, f"--{name} is gone from tokens.css"

    def read(colour: str) -> str:
        if step := re.fullmatch(r"var\(--n(\d+)\)", colour):
            return neutral(int(step[1]))
        numbers = re.fullmatch(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", colour)
        assert numbers, colour
        lightness, chroma, hue = map(float, numbers.groups())
        return oklch_hex(lightness, chroma, hue)

    return read(found[1]), read(found[2])


def test_ink_meanings_and_edges_can_be_read_on_every_surface_and_wash() -> None:
    bad = []
    meanings = ("success", "warning", "danger", "info")
    for theme, grounds in enumerate((LIGHT, DARK)):
        washes = [token(f"{meaning}-wash")[theme] for meaning in meanings]
        floors = [(name, token(name)[theme], ground, 4.5) for name in ("ink", "ink-2", "ink-3") for ground in grounds]
        floors += [("ink-2 on a wash", token("ink-2")[theme], wash, 4.5) for wash in washes]
        for meaning, wash in zip(meanings, washes, strict=True):
            floors += [(meaning, token(meaning)[theme], ground, 4.5) for ground in [*grounds, wash]]
        floors += [("edge of a control", token("line-control")[theme], ground, 3.0) for ground in grounds]
        floors.append(("toast", token("inverse-ink")[theme], token("inverse")[theme], 4.5))
        bad += [(theme, name, one, other, round(contrast(one, other), 2)) for name, one, other, floor in floors
                if contrast(one, other) < floor]  # fmt: skip
    assert not bad


def test_a_hovered_button_is_easier_to_read_than_one_at_rest() -> None:
    for brand in BRANDS:
        for accent in (palette(brand).light, palette(brand).dark):
            rest, hover = contrast(accent.on_accent, accent.accent), contrast(accent.on_accent, accent.accent_hover)
            assert hover >= rest, brand


def test_washes_of_a_brand_carry_ink() -> None:
    for brand in BRANDS + EXTREMES:
        for theme, accent in enumerate((palette(brand).light, palette(brand).dark)):
            for name in ("ink", "ink-2", "ink-3"):
                assert contrast(token(name)[theme], accent.accent_wash) >= 4.5, (brand, name)


def test_a_fill_keeps_the_brand() -> None:
    assert palette("#104e39").light.accent == "#104e39"
    assert palette("#fab117").light.accent == palette("#fab117").dark.accent == "#fab117"
    assert palette("#fab117").light.on_accent == "#000000"


def test_the_style_sheet_has_plain_values_and_both_themes() -> None:
    css = theme_css("#104e39")
    assert "--accent: #104e39;" in css
    assert "--accent: light-dark(#104e39, " in css
    assert css.count("{") == css.count("}")


def test_the_hash_follows_the_colour() -> None:
    assert theme_hash("#104e39") == theme_hash("#104E39")
    assert theme_hash("#104e39") != theme_hash("#104e3a")
    assert re.fullmatch("[0-9a-f]{12}", theme_hash("#104e39"))


@pytest.mark.parametrize("wrong", ["", "green", "104e39", "#12345", "#12345g", "#fff;}body{display:none"])
def test_what_is_no_colour_is_refused_in_a_sentence(wrong: str) -> None:
    with pytest.raises(ValueError, match="hex digits"):
        palette(wrong)
