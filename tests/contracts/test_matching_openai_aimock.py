"""The model’s provider against a company that others wrote: `llmock` of npm’s @copilotkit/aimock 1.43, where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from fxo.core.errors import Retryable, Unavailable
from fxo.core.ids import new_id
from fxo.core.matching.port import Brief, MatchingProvider, PartnerRecord, check_ranking
from fxo.embedded.processes import free_port, wait_until
from fxo.plugins.matching_openai.provider import OpenAIMatching
from fxo.plugins.matching_openai.settings import Settings
from fxo.testing import MatchingContract, context
from fxo.testing.matching import records
from tests.emulators.openai import answer

REASON = {"says": "This is what you face", "field": "skills", "quote": "ransomware"}
USUAL = answer([{"partner": "p01", "fit": 70, "reasons": [REASON]}])
FIXTURES: list[dict[str, Any]] = [
    {
        "match": {"userMessage": "too many questions"},
        "response": {
            "error": {"message": "Rate limited", "type": "rate_limit_error", "code": "rate_limit_exceeded"},
            "status": 429,
        },
    },
    {
        "match": {"userMessage": "a broken server"},
        "response": {"error": {"message": "no", "type": "server_error"}, "status": 500},
    },
    {"match": {"userMessage": "half an answer"}, "response": {"content": '{"candidates": [{"par'}},
    {"match": {"userMessage": "<brief "}, "response": {"content": json.dumps(USUAL)}},
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = os.environ.get("FXO_TEST_LLMOCK") or shutil.which("llmock")
    if program is None:
        pytest.skip("llmock is not here: npm install -g @copilotkit/aimock@1.43.0, or its path in FXO_TEST_LLMOCK")
    folder: Path = tmp_path_factory.mktemp("aimock")
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": FIXTURES}), "utf-8")
    port = free_port()
    command = [program, "-p", str(port), "-f", str(folder / "fixtures.json"), "--strict", "--log-level", "silent"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            assert wait_until(lambda: _listens(port), 20), "llmock does not start"
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            child.terminate()


def _listens(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=1, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def by(url: str, **settings: Any) -> OpenAIMatching:
    values = {"api_key": "sk-anything", "base_url": url, "seconds": 3.0, **settings}
    return OpenAIMatching(context("matching_openai", settings=Settings(**values)))


class TestMatchingOpenAIElsewhere(MatchingContract):
    @pytest.fixture
    def provider(self, url: str) -> MatchingProvider:
        return by(url)


@pytest.fixture
def partners() -> Sequence[PartnerRecord]:
    return records()


def test_its_answer_is_joined_with_the_local_ranking(url: str, partners: Sequence[PartnerRecord]) -> None:
    ranking = by(url).rank(Brief("Ransomware has locked the servers of our hospital."), partners)
    check_ranking(ranking, partners)
    assert ranking.usage is not None
    assert ranking.matches[0].reasons[0] == "This is what you face: “ransomware”."


def test_its_vectors_are_read(url: str, partners: Sequence[PartnerRecord]) -> None:
    many = [replace(record, id=new_id(), name=f"{record.name} {n}") for n in range(6) for record in partners]
    ranking = by(url).rank(Brief("Ransomware has locked the servers of our hospital."), many)
    check_ranking(ranking, many)
    assert ranking.usage is not None


@pytest.mark.parametrize(
    ("words", "kind"), [("too many questions", Retryable), ("a broken server", Unavailable), ("half an answer", Unavailable)]
)
def test_its_failures_are_ours(url: str, partners: Sequence[PartnerRecord], words: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        by(url).rank(Brief(f"Ransomware has locked our servers, said {words}."), partners)
