"""A form out of a settings model: each kind of field, the model's own words, and sentences that never repeat a secret."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from fxo.web.admin.provider_form import DROP, PREFIX, SECRET, WHOLE, Control, Read, controls, read

KEPT = "locked:what-nobody-reads"


class Region(Enum):
    EU = "eu"
    WORLD = "world"


class Model(BaseModel):
    name: str = Field(title="Name", description="What people call it", examples=["Acme"], pattern="^[A-Z][a-z]+$", max_length=8)
    key: SecretStr = Field(title="Key", description="From their page.")
    further: SecretStr | None = Field(None, title="Further key")
    on_paper: bool = Field(True, title="On paper")
    service: Literal["smtp", "sendgrid"] = Field("smtp", title="Service")
    region: Region = Region.EU
    tries: int = Field(3, ge=1, le=9, title="Tries")
    seconds: float = Field(5.0, gt=0)
    price: Decimal = Field(Decimal("0.40"), ge=0)
    words: list[str] = Field(default_factory=list)
    topics: dict[str, list[str]] = Field(default_factory=dict)
    limits: dict[str, int] = Field(default_factory=dict)
    note: str | None = None

    @field_validator("note")
    @classmethod
    def _kind(cls, value: str | None) -> str | None:
        if value == "rude":
            raise ValueError("say it kindly, 100% of the time")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Model:
        if self.key.get_secret_value().startswith("test") and self.service == "sendgrid":
            raise ValueError("this key is only for tests")
        return self


def sent(**typed: str) -> dict[str, str]:
    """What a browser sends of a form that is filled in; a secret by its field's name, too."""
    secrets = ("key", "further")
    filled = {"name": "Acme", "on_paper": "on", "service": "smtp", "region": "eu", "tries": "3", "seconds": "5", "price": "0.40"}
    return {(SECRET if name in secrets else PREFIX) + name: text for name, text in (filled | typed).items()}


def reading(stored: dict[str, Any] | None = None, opened: dict[str, Any] | None = None, **typed: str) -> Read:
    return read(Model, sent(**typed), stored or {}, opened or {})


def shown(stored: dict[str, Any], **more: Any) -> dict[str, Control]:
    return {one.name: one for one in controls(Model, stored, **more)}


def test_each_field_has_its_kind_its_words_and_its_default() -> None:
    found = shown({})
    assert {name: one.kind for name, one in found.items()} == {
        "name": "text", "key": "secret", "further": "secret", "on_paper": "bool", "service": "choice", "region": "choice",
        "tries": "number", "seconds": "number", "price": "number", "words": "lines", "topics": "groups", "limits": "json",
        "note": "text",
    }  # fmt: skip
    assert found["name"].help == "What people call it. For example Acme." and found["name"].label == "Name"
    assert found["seconds"].label == "Seconds" and found["seconds"].value == "5.0"
    assert found["on_paper"].checked and found["tries"].value == "3"
    assert [one["label"] for one in found["service"].options] == ["SMTP", "Sendgrid"]
    assert [name for name, one in found.items() if one.required] == ["name", "key"]


def test_what_is_stored_is_shown_and_of_a_secret_only_that_it_is() -> None:
    stored = {"name": "Beta", "key": KEPT, "topics": {"SAP": ["S/4", "Hana"]}, "words": ["a", "b"], "limits": {"a": 1}}
    found = shown(stored)
    assert (found["name"].value, found["topics"].value, found["words"].value) == ("Beta", "SAP: S/4, Hana", "a\nb")
    assert found["limits"].value == '{"a": 1}'
    assert found["key"].is_set and not found["key"].required and not found["further"].is_set
    typed = shown(stored, typed=sent(key="typed-secret", name="Gamma"))
    assert typed["name"].value == "Gamma" and typed["on_paper"].checked
    assert all(secret not in repr(found) + repr(typed) for secret in (KEPT, "typed-secret"))


def test_what_was_typed_becomes_settings_without_defaults_and_secrets_apart() -> None:
    found = reading(key="secret", price="1,25", words=" a \n\n b", topics="SAP: S/4, Hana", limits='{"a": 2}', note="")
    assert found.settings == {
        "name": "Acme", "price": "1.25", "words": ["a", "b"], "topics": {"SAP": ["S/4", "Hana"]}, "limits": {"a": 2},
    }  # fmt: skip
    assert (found.secrets, found.kept, found.errors) == ({"key": "secret"}, frozenset(), {})
    assert reading(key="secret", on_paper="").settings == {"name": "Acme", "on_paper": False}


def test_an_empty_secret_stays_a_written_one_takes_its_place_and_one_can_be_forgotten() -> None:
    stored, opened = {"key": KEPT, "further": KEPT}, {"key": "old", "further": "old"}
    assert reading(stored, opened).kept == {"key", "further"}
    assert reading(stored, opened, key="new").kept == {"further"}
    form = sent() | {DROP + "further": "on"}
    assert read(Model, form, stored, opened).kept == {"key"}
    lost = read(Model, sent() | {DROP + "key": "on"}, stored, opened)
    assert lost.errors == {PREFIX + "key": "Please fill this in."}, "the model needs it"


def test_the_model_checks_a_secret_that_stays_together_with_what_is_new() -> None:
    stored = {"key": KEPT}
    assert reading(stored, {"key": "test-key"}, service="sendgrid").errors == {WHOLE: "This key is only for tests."}
    assert not reading(stored, {"key": "real-key"}, service="sendgrid").errors


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"name": "acme"}, "This should look like Acme."),
        ({"name": "Acmeacmeacme"}, "Please shorten this to 8 characters."),
        ({"service": "pigeon"}, "Choose one of those shown."),
        ({"region": "moon"}, "Choose one of those shown."),
        ({"tries": "many"}, "Write a whole number, such as 5."),
        ({"tries": "2.5"}, "Write a whole number, such as 5."),
        ({"tries": "10"}, "Choose a number between 1 and 9."),
        ({"seconds": "0"}, "Choose a number above 0."),
        ({"price": "-1"}, "Choose a number of at least 0."),
        ({"price": "NaN"}, "Choose a number of at least 0."),
        ({"price": "a lot"}, "Write a number, such as 5 or 12.50."),
        ({"topics": "SAP"}, "Write each line as a name, a colon, and its words with commas between them."),
        ({"limits": "{"}, "This is no JSON. Check brackets, quotes and commas."),
        ({"limits": '{"a": "x"}'}, "Write a whole number, such as 5."),
        ({"note": "rude"}, "Say it kindly, 100% of the time."),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_in_our_words(typed: dict[str, str], sentence: str) -> None:
    [name] = typed
    found = reading(key="secret-4711", **typed)
    assert found.errors == {PREFIX + name: sentence}
    assert not found.settings and not found.secrets


def test_every_plugin_that_ships_has_a_form() -> None:
    from fxo.core.plugins import build_plugin_manager
    from fxo.core.ports import PORTS

    for name, model in build_plugin_manager(PORTS).settings.items():
        found = controls(model, {})
        assert found and all(one.kind != "json" and one.label for one in found), name
