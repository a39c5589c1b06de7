"""What holds for every template and style sheet: they compile, carry nothing inline, and take colours from the tokens alone."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, meta

WEB = Path(__file__).parents[2] / "fxo/web"
STATIC = WEB / "static"
TEMPLATES = sorted(path.relative_to(WEB / "templates").as_posix() for path in (WEB / "templates").rglob("*.*"))
COMPONENTS = sorted(path.relative_to(WEB).as_posix() for path in (WEB / "components").glob("*.html"))
ICONS = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))


@pytest.fixture(scope="module")
def environment() -> Environment:
    return Environment(loader=FileSystemLoader([WEB / "templates", WEB]), autoescape=True)


def source(environment: Environment, name: str) -> str:
    assert environment.loader
    return environment.loader.get_source(environment, name)[0]


@pytest.mark.parametrize("name", TEMPLATES + COMPONENTS)
def test_a_template_compiles_and_says_first_what_it_is(environment: Environment, name: str) -> None:
    environment.get_template(name)
    text = source(environment, name)
    assert text.startswith("{#"), "begin with a comment that names the variables"
    for other in meta.find_referenced_templates(environment.parse(text)):
        assert other
        environment.get_template(other)


@pytest.mark.parametrize("name", [name for name in TEMPLATES + COMPONENTS if not name.startswith("mail/")])
def test_a_page_has_nothing_inline(environment: Environment, name: str) -> None:
    text = re.sub(r"{#.*?#}", "", source(environment, name), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=", text), "the content policy forbids style attributes"
    assert "<style" not in text
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "the content policy forbids event attributes"
    assert "javascript:" not in text
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script
    assert not re.search(r"\bhx-(on|vals|headers)\b", text), "htmx must not evaluate anything"


@pytest.mark.parametrize("name", [name for name in TEMPLATES if not name.startswith("mail/")])
def test_a_form_that_changes_something_carries_a_token(environment: Environment, name: str) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', source(environment, name), flags=re.DOTALL):
        assert "form_token(" in form


@pytest.mark.parametrize("name", TEMPLATES + COMPONENTS)
def test_every_icon_is_in_the_sprite(environment: Environment, name: str) -> None:
    named = re.findall(r'(?:\b_?icon\(|\bicon(?:_end)?=|"icon": )"([a-z0-9-]+)"', source(environment, name))
    assert set(named) <= ICONS


def test_every_macro_is_documented(environment: Environment) -> None:
    for name in COMPONENTS:
        text = source(environment, name)
        for macro in re.findall(r"{% macro ([a-z]\w*)", text):
            assert f"{{# {macro}(" in text, f"{macro} in {name} has no line that says what it takes"


@pytest.mark.parametrize("name", ["components.css", "pages.css"])
def test_colours_are_in_the_tokens_alone(name: str) -> None:
    text = re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text(), flags=re.DOTALL)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|light-dark)\(", text)


def test_every_token_that_is_used_is_defined() -> None:
    sheets = "".join((STATIC / name).read_text() for name in ("tokens.css", "components.css", "pages.css"))
    used = set(re.findall(r"var\((--[\w-]+)\s*\)", sheets))
    assert used <= set(re.findall(r"(--[\w-]+)\s*:", sheets))


def test_the_portal_stays_light() -> None:
    import gzip

    scripts = ["vendor/htmx.min.js", "vendor/bootstrap.bundle.min.js", "app.js", "behaviours.js", "forms.js"]
    sheets = ["vendor/bootstrap-reboot.css", "tokens.css", "components.css", "pages.css"]
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in scripts + sheets) < 100_000
