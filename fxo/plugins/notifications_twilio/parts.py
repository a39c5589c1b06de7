"""How many parts a text is sent and paid in (3GPP TS 23.038)."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Each takes the room of two."""


def parts(text: str) -> int:
    """160 characters in one part and 153 in each of several; 70 and 67 where a character is beyond the phone's alphabet."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        length, alone, each = len(text) + sum(character in _EXTENDED for character in text), 160, 153
    else:
        length, alone, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= alone else -(-length // each)
