"""`.env.example` names every setting, with its description and default, and nothing else."""

import re
from pathlib import Path

from pydantic import SecretStr

from fxo.settings import Settings

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text()


def written(default: object) -> str:
    """A default as it is written in an environment file."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)


def entries() -> list[str]:
    """What the file has to say of each setting."""
    return [
        (f"# {field.description}\n" if field.description else "") + f"#FXO_{name.upper()}={written(field.default)}\n"
        for name, field in Settings.model_fields.items()
    ]


def test_every_setting_is_listed_with_its_description_and_default() -> None:
    missing = [entry for entry in entries() if entry not in EXAMPLE]
    assert not missing, "add to .env.example:\n" + "\n".join(missing)


def test_no_setting_is_listed_that_does_not_exist() -> None:
    listed = set(re.findall(r"^#?FXO_([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert listed == {name.upper() for name in Settings.model_fields}
