"""A tenant's accent colours, computed from its one brand colour with contrast guaranteed in light and in dark."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import asdict, dataclass
from functools import lru_cache

Rgb = tuple[float, float, float]  # sRGB, gamma-encoded, each 0 to 1
Oklch = tuple[float, float, float]  # lightness 0 to 1, chroma, hue in degrees

# The grounds an accent may lie on: the darkest of the light ones and the lightest of the dark ones decide (static/tokens.css).
_LIGHT_SURFACE: Oklch = (1, 0, 0)  # --n0
_LIGHT_WORST: Oklch = (0.948, 0.003, 100)  # --n100
_DARK_SURFACE: Oklch = (0.215, 0.004, 100)  # --n925
_DARK_WORST: Oklch = (0.285, 0.006, 100)  # --n850
_TEXT = 4.6  # floors, a little above WCAG's 4.5 and 3 so that rounding to hex cannot cross them
_EDGE = 3.05


@dataclass(frozen=True, slots=True)
class Accent:
    """One theme's accent tokens, as `#rrggbb`."""

    accent: str  # fill of the primary button
    on_accent: str  # label on that fill
    accent_hover: str
    accent_text: str  # links, what is selected, focus
    accent_edge: str  # border of fills, meters, steps
    accent_wash: str
    accent_line: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The accent of a brand in light and in dark; mails and PDFs take it from here, pages from `theme_css`."""

    brand: str
    light: Accent
    dark: Accent


@lru_cache(maxsize=256)
def palette(brand: str) -> Palette:
    """The accent tokens of `brand`, a colour as `#rgb` or `#rrggbb`; ValueError says what is wrong with another."""
    rgb = parse_hex(brand)
    lightness, chroma, hue = _to_oklch(rgb)

    text = _darken_until(min(lightness, 0.485), min(chroma, 0.17), hue, _rgb(_LIGHT_WORST), _TEXT)
    edge = _darken_until(min(lightness, 0.59), chroma, hue, _rgb(_LIGHT_WORST), _EDGE)
    light = _accent(rgb, text, edge, _rgb(_LIGHT_SURFACE))

    text = _lighten_until(max(lightness, 0.77), min(chroma, 0.13), hue, _rgb(_DARK_WORST), _TEXT)
    edge = _lighten_until(max(lightness, 0.58), chroma, hue, _rgb(_DARK_WORST), _EDGE)
    fill = rgb if lightness >= 0.545 else _rgb((0.545, chroma, hue))
    dark = _accent(fill, text, edge, _rgb(_DARK_SURFACE))

    return Palette(to_hex(rgb), light, dark)


@lru_cache(maxsize=256)
def theme_css(brand: str) -> str:
    """The style sheet that is served as `/theme-<hash>.css`, after tokens.css: plain values first, then both themes."""
    colours = palette(brand)
    light, dark = asdict(colours.light), asdict(colours.dark)
    names = {name: f"--{name.replace('_', '-')}" for name in light}
    plain = "".join(f"    {names[name]}: {value};\n" for name, value in light.items())
    both = "".join(f"      {names[name]}: light-dark({light[name]}, {dark[name]});\n" for name in light)
    return (
        "@layer tokens {\n"
        f"  :root {{\n    --brand: {colours.brand};\n{plain}  }}\n"
        f"  @supports (color: light-dark(white, black)) {{\n    :root {{\n{both}    }}\n  }}\n"
        "}\n"
    )


@lru_cache(maxsize=256)
def scope_css(brand: str) -> str:
    """The style sheet of a preview (`.brand-scope`) in another brand: tokens.css computes the rest from it; plain values for
    browsers that cannot.
    """
    colours = palette(brand)

    def plain(accent: Accent) -> str:
        return "".join(f"--{name.replace('_', '-')}: {value}; " for name, value in asdict(accent).items())

    return (
        "@layer tokens {\n"
        f"  .brand-scope {{ --brand: {colours.brand}; }}\n"
        "  @supports not (color: oklch(from red l c h)) {\n"
        f"    .brand-scope {{ {plain(colours.light)}}}\n"
        f"    .brand-scope[data-theme=dark] {{ {plain(colours.dark)}}}\n"
        "  }\n}\n"
    )


@lru_cache(maxsize=256)
def theme_hash(brand: str) -> str:
    """The hash in the theme's file name: it changes whenever the file would."""
    return hashlib.sha256(theme_css(brand).encode()).hexdigest()[:12]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours, 1 to 21."""
    return _contrast(parse_hex(one), parse_hex(other))


def parse_hex(colour: str) -> Rgb:
    """`#0a7` or `#00aa77` as sRGB."""
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", colour):
        raise ValueError(f"{colour!r} is not a colour: write # and three or six hex digits, such as #104e39")
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def to_hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(min(1, max(0, part)) * 255):02x}" for part in rgb)


def oklch_hex(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour as `#rrggbb`; outside sRGB its chroma is reduced, its lightness and hue kept."""
    return to_hex(_rgb((lightness, chroma, hue)))


def _accent(fill: Rgb, text: Rgb, edge: Rgb, surface: Rgb) -> Accent:
    white, black = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    label, away = (white, black) if _contrast(white, fill) >= _contrast(black, fill) else (black, white)
    return Accent(
        accent=to_hex(fill),
        on_accent=to_hex(label),
        accent_hover=to_hex(_mix(away, fill, 0.14)),
        accent_text=to_hex(text),
        accent_edge=to_hex(edge),
        accent_wash=to_hex(_mix(text, surface, 0.06)),
        accent_line=to_hex(_mix(text, surface, 0.32)),
    )


def _darken_until(lightness: float, chroma: float, hue: float, ground: Rgb, floor: float) -> Rgb:
    while _contrast(colour := _rgb((lightness, chroma, hue)), ground) < floor and lightness > 0:
        lightness -= 0.005
    return colour


def _lighten_until(lightness: float, chroma: float, hue: float, ground: Rgb, floor: float) -> Rgb:
    while _contrast(colour := _rgb((lightness, chroma, hue)), ground) < floor and lightness < 1:
        lightness += 0.005
    return colour


def _contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (_linear(part) for part in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`color-mix(in oklab, one share, other)`."""
    pairs = zip(_to_oklab(one), _to_oklab(other), strict=True)
    lightness, a, b = (share * first + (1 - share) * second for first, second in pairs)
    return _rgb((lightness, math.hypot(a, b), math.degrees(math.atan2(b, a))))


# OKLab: Björn Ottosson, https://bottosson.github.io/posts/oklab/


def _to_oklab(rgb: Rgb) -> tuple[float, float, float]:
    red, green, blue = (_linear(part) for part in rgb)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _to_oklch(rgb: Rgb) -> Oklch:
    lightness, a, b = _to_oklab(rgb)
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _unclipped(colour: Oklch) -> Rgb:
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _gamma(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _gamma(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _gamma(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _rgb(colour: Oklch) -> Rgb:
    """The colour in sRGB, with just as much chroma as fits."""
    lightness, chroma, hue = colour
    inside = all(-1e-4 <= part <= 1 + 1e-4 for part in _unclipped(colour))
    low, high = (chroma, chroma) if inside else (0.0, chroma)
    while high - low > 1e-4:
        middle = (low + high) / 2
        if all(-1e-4 <= part <= 1 + 1e-4 for part in _unclipped((lightness, middle, hue))):
            low = middle
        else:
            high = middle
    red, green, blue = (min(1.0, max(0.0, part)) for part in _unclipped((lightness, low, hue)))
    return red, green, blue
