"""A hundred briefs at once over 60 partners, with a model that takes 1.5 s: lists, refined lists, and who else reads a page."""

from __future__ import annotations

import html
import json
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlencode

from bench.judged import TESTS
from bench.support import Rows, processor_seconds
from fxo import embedded
from fxo.core.partners import commands as partners
from fxo.core.partners.importing import read
from fxo.core.scope import CODE, system_scope
from fxo.embedded.processes import free_port
from fxo.plugins import matching_openai
from fxo.settings import Settings
from tests.conftest import HERE, PASSWORD, Databases, Given, write
from tests.emulators.openai import KEY
from tests.support.booking import book
from tests.support.browser import Page
from tests.support.flow import shortlist, sign_in
from tests.support.processes import Processes, Visitor
from tests.support.story import CLIENT_MAIL, Story, story

AT_ONCE, MODEL_SECONDS, PARTNERS = 100, 1.5, 60
AIMS = {"list": 2_000, "refined": 32, "session": 500}
"""Milliseconds at the 95th percentile, how many get the model's answer, milliseconds again (PRD AR-1.2, AR-2.1)."""

_WARM = 12
_PROBLEM = "{} Ransomware has stopped plant {} and our insurer wants a recovery plan; the ERP migration is late as well."


def run() -> Rows:
    """The measurement as (what, figure) rows for people."""
    with tempfile.TemporaryDirectory() as folder, embedded.servers(Path(folder) / "servers") as servers:
        given = Given(servers.admin_url, servers.redis_url, Path(folder) / "servers" / "logs" / "postgres.log")
        databases = Databases(given, durable=True)
        port, model_port = free_port(), free_port()
        as_shipped = {name: Settings.model_fields[name].default for name in ("web_processes", "web_threads")}
        values = {"port": port, "redis_url": servers.redis_url, "demo": False, **as_shipped}
        with story(databases, matching_openai, **values) as told, Processes(told.settings, Path(folder)) as children:
            children.start("model", sys.executable, "-m", "tests.emulators.openai", str(model_port), str(MODEL_SECONDS))
            _roster(told)
            told.reconfigured(
                providers={"matching": ["matching_openai"]}, api_key=KEY, base_url=f"http://127.0.0.1:{model_port}/v1"
            )
            children.web()
            rows = _measured(told, children)
            assert children.errors("web") == [], children.errors("web")[:3]
        databases.close()
    embedded.remove(Path(folder) / "servers")
    return rows


def _roster(told: Story) -> None:
    """Sixty partners: the three of every test and 57 of the judged ones, free in office hours."""
    week = json.loads((HERE / "support" / "partners.json").read_text("utf-8"))[2]["availability"]
    judged = json.loads((TESTS / "unseen" / "partners.json").read_text("utf-8"))[: PARTNERS - len(told.partners)]
    found = read(json.dumps([one | {"availability": week} for one in judged]).encode(), "partners.json")
    ids = write(system_scope("partners"), CODE, partners.import_partners, found, {})
    told.run(CODE, partners.add_to_roster, ids)


def _measured(told: Story, children: Processes) -> Rows:
    reader = children.visit("fortium")
    sign_in(reader, CLIENT_MAIL, PASSWORD)
    shortlist(reader)  # waits until the ranker has read its model
    with ThreadPoolExecutor(_WARM) as pool:
        list(pool.map(lambda number: _asks(_person(children), f"Once before, {number}:", number), range(_WARM)))
    session = f"/sessions/{book(reader, told.partners['dana'])}"
    people = [_person(children) for _ in range(AT_ONCE)]
    alone = [_milliseconds(lambda: reader.get(session)) for _ in range(20)]
    worked = processor_seconds()
    with _Reading(reader, session) as reading, ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(_asks, people, ["Last night:"] * AT_ONCE, range(AT_ONCE)))
    worked = processor_seconds() - worked
    lists = [taken for taken, _, _ in answers]
    offers = [waited for _, status, waited in answers if status == 200]
    wrong = [status for _, status, _ in answers if status not in (200, 204)]
    return [
        (f"list of the local ranking, {AT_ONCE} at once, median / p95 (p95 under {AIMS['list']} ms)", _spread(lists)),
        (
            f"the model's answer, of {AT_ONCE} (at least {AIMS['refined']}), after a median / p95",
            f"{len(offers)}; {_spread(offers)}",
        ),
        ("errors (none)", str(len(wrong))),
        (f"a session page meanwhile, median / p95 (p95 under {AIMS['session']} ms)", _spread(reading.taken)),
        ("a session page before, median / p95", _spread(alone)),
        ("processor time of all servers for one who asks, with list, times and the model", f"{worked / AT_ONCE * 1_000:.0f} ms"),
    ]


def _person(children: Processes) -> Asker:
    """A visitor whose browser runs scripts, with what the front page's form holds."""
    person = _Light(children.settings.bind, children.settings.port, children.settings.host("fortium"))
    return person, person.get("/").form("/briefs")


def _asks(asker: Asker, begins: str, number: int) -> tuple[float, int, float]:
    """What a browser does: the brief, the list, its times, then the question to the model; milliseconds until the list was there,
    the status of the answer to the question, milliseconds of that.
    """
    (person, fields), problem = asker, _PROBLEM.format(begins, number)
    began = perf_counter()
    page = person.get(person.post("/briefs", fields | {"problem": problem}).location)
    taken = (perf_counter() - began) * 1_000
    assert page.status == 200 and "partner-card__name" in page.text, page.text[:300]
    listed = person.get(_found(r'id="results" hx-get="([^"]+)"', page), **{"HX-Request": "true", "HX-Trigger": "results"})
    form = {name: _found(rf'name="{name}" value="([^"]+)"', listed, after='id="refined"') for name in ("form_token", "list")}
    began = perf_counter()
    answer = person.post(_found(r'id="refined" hx-post="([^"]+)"', listed), form, **{"HX-Request": "true"})
    return taken, answer.status, (perf_counter() - began) * 1_000


def _found(pattern: str, page: Page, after: str = "") -> str:
    """By search, since a hundred parsers in this process would take longer than the servers."""
    match = re.compile(pattern).search(page.text, page.text.index(after))
    assert match, pattern
    return html.unescape(match[1])


class _Light:
    """A visitor whose requests cost this process next to nothing: it shares the machine with the servers."""

    def __init__(self, address: str, port: int, host: str) -> None:
        self._server = address, port
        self._host = host
        self._cookies = {"zone": "Europe/Stockholm"}

    def get(self, path: str, **headers: str) -> Page:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Page:
        return self._ask("POST", path, urlencode(form), headers | {"Content-Type": "application/x-www-form-urlencoded"})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Page:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        with closing(HTTPConnection(*self._server, timeout=30)) as connection:
            connection.request(method, path, body, {"Host": self._host, "Cookie": cookies, **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return Page(answer.status, dict(answer.headers), text)


Asker = tuple[_Light, dict[str, str]]


class _Reading:
    """Somebody who reads a page again and again, until the block ends."""

    def __init__(self, person: Visitor, path: str) -> None:
        self.taken: list[float] = []
        self._person, self._path = person, path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        while not self._over.wait(0.05):
            self.taken.append(_milliseconds(lambda: self._person.get(self._path)))

    def __enter__(self) -> _Reading:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _milliseconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1_000


def _spread(taken: list[float]) -> str:
    if len(taken) < 2:
        return "too few"
    return f"{median(taken):.0f} / {quantiles(taken, n=20)[-1]:.0f} ms"
