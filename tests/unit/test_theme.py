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
