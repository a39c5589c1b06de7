"""A tenant's picture: decoded, made small and written anew as PNG, so that nothing of the uploaded file itself is ever served."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from fxo.core.errors import Invalid, NotAllowed
from fxo.core.events.store import Transaction
from fxo.core.scope import Permission

LARGEST = 400_000
"""Bytes of an uploaded file."""
KEPT = 20
"""Pictures that a tenant may have; the oldest that is not on the portal goes when another comes."""
_PIXELS = 16_000_000
_SIZE = (640, 256)  # shown 28 px high, with room for sharp screens and for mails
_FORMATS = ("PNG", "JPEG", "WEBP")


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture as it will be served."""

    hash: str
    content: bytes


def read(data: bytes) -> Logo:
    """The picture in an uploaded file; outside any transaction, since decoding takes its time.

    Raises `Invalid` for what is no PNG, JPEG or WebP, too large or too small. What cannot carry a script cannot run one: no SVG.
    """
    from PIL import Image, ImageOps

    if len(data) > LARGEST:
        raise Invalid(f"This file is too large. Please choose one of at most {LARGEST // 1000} kB.", field="logo")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(data), formats=_FORMATS) as found:
                width, height = found.size
                if width * height > _PIXELS:
                    raise Invalid("This picture has too many pixels. Please choose one of at most 4000 by 4000.", field="logo")
                if min(width, height) < 16:
                    raise Invalid("This picture is too small. Please choose one that is at least 56 pixels high.", field="logo")
                picture = ImageOps.exif_transpose(found).convert("RGBA")
    except Invalid:
        raise
    except Exception as error:  # a decoder may fail in any way on what somebody made up
        raise Invalid("This file is no picture that we can read. Please choose a PNG, JPEG or WebP.", field="logo") from error
    picture.thumbnail(_SIZE)
    clean = Image.new("RGBA", picture.size)
    clean.paste(picture)  # pixels alone: no comments, no places, no profiles
    out = BytesIO()
    clean.save(out, "PNG", optimize=True)
    content = out.getvalue()
    return Logo(sha256(content).hexdigest()[:32], content)


def keep(tx: Transaction, logo: Logo, in_use: str) -> None:
    """Keep the picture for this tenant; by its administrator. `in_use` is the hash of the one that is on the portal."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may change the portal.")
    tx.driver.execute(
        "insert into tenant_logos (tenant_id, hash, content, uploaded_at) values (%s, %s, %s, %s) on conflict do nothing",
        (tx.scope.tenant_id, logo.hash, logo.content, tx.now),
    )
    tx.driver.execute(
        "delete from tenant_logos where tenant_id = %(t)s and hash not in (%(use)s, %(new)s) and hash not in (select hash from"
        " tenant_logos where tenant_id = %(t)s order by uploaded_at desc, hash limit %(kept)s)",
        {"t": tx.scope.tenant_id, "use": in_use, "new": logo.hash, "kept": KEPT},
    )


def known(tx: Transaction, digest: str) -> bool:
    """Whether this tenant has that picture."""
    return content(tx, digest) is not None


def content(tx: Transaction, digest: str) -> bytes | None:
    """The PNG of that hash, of this tenant."""
    row = tx.driver.execute(
        "select content from tenant_logos where tenant_id = %s and hash = %s", (tx.scope.tenant_id, digest)
    ).fetchone()
    return bytes(row[0]) if row else None


def url_of(digest: str) -> str:
    """Where the portal serves it."""
    return f"/logo-{digest}.png" if digest else ""


def hash_of(url: str) -> str:
    """The hash in such an address; empty for any other."""
    found = re.fullmatch(r"/logo-([0-9a-f]{32})\.png", url)
    return found[1] if found else ""
