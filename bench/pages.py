"""Pages of the portal on the demo's data: against a page of as many bytes by Flask alone with one query, and in a browser."""

from __future__ import annotations

import gzip
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from playwright.sync_api import Page as Tab

from bench.support import Operation, Rows, database, interleaved, processor_seconds, ratio
from fxo.app import create_app
from fxo.demo.seed import Signin, seed
from fxo.embedded.processes import free_port
from tests.support import chromium
from tests.support.browser import Person
from tests.support.processes import Processes, Visitor
from tests.support.statements import recorded, repeated

AT_ONCE = 10
AIMS = {"rate": 0.3, "ms": 50, "kB": 100, "lcp": 1_000, "cls": 0.02}

_ROUNDS, _ALONE = 11, 30
"""Rounds of what is compared, which alternate; and requests of a round in which one person asks at a time."""

ZONE = "Europe/Stockholm"
"""What a browser’s scripts have said of where it is, in the cookie `zone`."""

_SEEN = """() => new Promise((found) => {
  const seen = { lcp: 0, cls: 0 };
  const watch = (type, see) =>
    new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true });
  watch("largest-contentful-paint", (entry) => { seen.lcp = entry.startTime; });
  watch("layout-shift", (entry) => { seen.cls += entry.value; });
  setTimeout(() => found(seen), 300);
})"""


@dataclass(slots=True)
class Sight:
    """A page as somebody sees it: at which path, with which cookies; how large it is, and what it asks the database."""

    name: str
    path: str
    signed_in: bool
    cookies: str = ""
    size: int = 0
    statements: list[str] = field(default_factory=list)


def run() -> Rows:
    """The measurement as (what, figure) rows for people."""
    with database(demo=True, port=free_port()) as settings, tempfile.TemporaryDirectory() as folder:
        served = settings.model_copy(update={"demo": False})  # as a company runs it: without the demo's clock bar
        app = create_app(settings)
        signin = seed(app).member("fortium")
        with app.app_context():
            person = Person(app, "fortium.localhost")
            _sign_in(person, signin)
            sights = [
                Sight("home of a visitor", "/", False),
                Sight("home", "/", True),
                Sight("shortlist", person.get("/").link("/briefs/"), True),
                Sight("session that is booked", person.get("/").link("/sessions/"), True),
                Sight("session that is done", person.get("/sessions").link("/sessions/"), True),
            ]
        with (app := create_app(served)).app_context():
            member = Person(app, "fortium.localhost")
            _sign_in(member, signin)
            for sight in sights:
                _asks(sight, member if sight.signed_in else Person(app, "fortium.localhost"))
        bare = served.model_copy(update={"port": free_port()})
        with Processes(served, Path(folder)) as ours, Processes(bare, Path(folder) / "bare") as theirs:
            ours.web()
            theirs.web("bench.bare:app()")
            client, visitor = ours.visit("fortium"), ours.visit("fortium")
            _sign_in(client, signin)
            for sight in sights:
                _looks(sight, client if sight.signed_in else visitor)
            rows = [row for sight in sights for row in _compared(sight, settings.port, bare.port)]
            rows += [row for sight in sights for row in _queries(sight)]
            return rows + _weight(visitor) + _painted(settings.port, sights)


def _sign_in(person: Person, signin: Signin) -> None:
    assert person.submit(person.get("/sign-in"), "/sign-in", mail=signin.mail, password=signin.password).status == 303


def _asks(sight: Sight, person: Person) -> None:
    """Write down the statements of the page, opened for the second time."""
    person.client.set_cookie("zone", ZONE, domain=person.host)
    person.get(sight.path)
    with recorded() as statements:
        assert person.get(sight.path).status == 200
        sight.statements = list(statements)


def _looks(sight: Sight, person: Visitor) -> None:
    """Write down the cookies and the size of the page."""
    http = person.client.http  # type: ignore[attr-defined]
    http.cookies.set("zone", ZONE)
    person.get(sight.path)
    sight.cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    sight.size = len(person.get(sight.path).text.encode())


class Getter:
    """Asks a web server for one page, over a connection of its own each time, as a proxy does that keeps none."""

    def __init__(self, port: int, path: str, cookies: str = "") -> None:
        self.address = ("127.0.0.1", port)
        head = f"GET {path} HTTP/1.1\r\nHost: fortium.localhost:{port}\r\nConnection: close\r\n"
        self.message = (head + (f"Cookie: {cookies}\r\n" if cookies else "") + "\r\n").encode()

    def __call__(self) -> bytes:
        with socket.create_connection(self.address, timeout=30) as connection:
            connection.sendall(self.message)
            found = b"".join(iter(lambda: connection.recv(1 << 17), b""))
        assert found.startswith(b"HTTP/1.1 200"), found[:200]
        return found


def _compared(sight: Sight, port: int, bare_port: int) -> Iterator[tuple[str, str]]:
    """Many at once by the second, and one alone by the millisecond."""
    page, bare = Getter(port, sight.path, sight.cookies), Getter(bare_port, f"/{sight.size}")
    assert abs(len(bare()) - len(page())) < 3_000, "the two are not of one size"
    workers = {"page": page, "bare": bare}

    def many(getter: Operation) -> list[Operation]:
        return [getter] * AT_ONCE

    rates = interleaved({name: lambda _size, one=one: many(one) for name, one in workers.items()}, (AT_ONCE,), rounds=_ROUNDS)
    yield (
        f"{sight.name} ({sight.size / 1000:.0f} kB), {AT_ONCE} at once, against the bare page (at least {AIMS['rate']})",
        ratio(rates, "page", "bare", AT_ONCE),
    )
    taken: dict[str, list[float]] = {"page": [], "bare": []}
    worked = dict.fromkeys(taken, 0.0)
    for _ in range(_ROUNDS):
        for name, getter in workers.items():
            before = processor_seconds()
            taken[name] += [_milliseconds(getter) for _ in range(_ALONE)]
            worked[name] += processor_seconds() - before
    yield (
        f"{sight.name}, processor time of web and database for a page: the bare page's to ours",
        f"{worked['bare'] / worked['page']:.2f} ({worked['page'] / len(taken['page']) * 1_000:.1f} ms)",
    )
    late = {name: quantiles(times, n=20)[-1] for name, times in taken.items()}
    yield (
        f"{sight.name}, one at a time, median / p95 (p95 under {AIMS['ms']} ms)",
        f"{median(taken['page']):.1f} / {late['page']:.1f} ms; {late['page'] / late['bare']:.1f} times the bare page's p95",
    )


def _milliseconds(getter: Getter) -> float:
    began = perf_counter()
    getter()
    return (perf_counter() - began) * 1_000


def _queries(sight: Sight) -> Iterator[tuple[str, str]]:
    again = repeated(sight.statements)
    yield f"{sight.name}, queries (none repeated)", f"{len(sight.statements)}, {len(again)} of them repeated"
    yield from ((f"  {number}", statement[:140]) for number, statement in enumerate(sight.statements, 1))


def _weight(visitor: Visitor) -> Rows:
    """The style sheets and scripts of the front page, each compressed as a proxy would."""
    home = visitor.get("/").soup
    paths = [tag["href"] for tag in home.select("link[rel=stylesheet]")] + [tag["src"] for tag in home.select("script[src]")]
    sizes = {"css": 0, "js": 0}
    for path in paths:
        kind = "css" if ".css" in str(path) else "js"
        sizes[kind] += len(gzip.compress(visitor.get(str(path)).text.encode(), 6))
    figure = f"{sum(sizes.values()) / 1000:.1f} kB ({sizes['css'] / 1000:.1f} CSS, {sizes['js'] / 1000:.1f} JS)"
    return [(f"CSS and JS of the portal, gzip (under {AIMS['kB']} kB)", figure)]


def _painted(port: int, sights: list[Sight]) -> Rows:
    """When the largest thing of a page is painted, and how much moves, in a browser that comes for the first time."""
    if chromium.path() is None:
        return [("in a browser", "Chromium is not here")]
    rows: Rows = []
    with chromium.chromium() as browser:
        for device, name in ((chromium.PHONE, "phone"), (chromium.DESKTOP, "desktop")):
            for sight in sights:
                seen = []
                for _ in range(5):
                    context = browser.new_context(**device)
                    pairs = [one.partition("=") for one in sight.cookies.split("; ")]
                    url = f"http://fortium.localhost:{port}"
                    context.add_cookies([{"name": key, "value": value, "url": url} for key, _, value in pairs])
                    seen.append(_seen(context.new_page(), url + sight.path))
                    context.close()
                lcp, cls = median(one["lcp"] for one in seen), max(one["cls"] for one in seen)
                rows.append(
                    (
                        f"{sight.name} on a {name}: LCP, CLS (under {AIMS['lcp']} ms, {AIMS['cls']})",
                        f"{lcp:.0f} ms, {cls:.3f}",
                    )
                )
    return rows


def _seen(tab: Tab, address: str) -> dict[str, float]:
    tab.goto(address, wait_until="networkidle")
    found: dict[str, float] = tab.evaluate(_SEEN)
    return found
