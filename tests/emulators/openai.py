"""A model's company as https://platform.openai.com/docs/api-reference describes it: chat completions with strict JSON schemas,
and embeddings. What the reference does not allow is an error of 400 that says so, and so is a schema that strict mode refuses.

It runs in a thread of a test, or alone: `python -m tests.emulators.openai PORT SECONDS`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.emulators.illness import Health

KEY = "sk-emulated-0123456789"
MODELS = {"gpt-4.1-mini", "gpt-4o-mini"}
EMBEDDINGS = {"text-embedding-3-small"}
SIZE = 256
_CHAT = {
    "model", "messages", "response_format", "max_completion_tokens", "temperature", "top_p", "n", "seed", "stop", "store", "user",
    "metadata", "reasoning_effort", "service_tier", "verbosity", "stream", "prompt_cache_key", "safety_identifier",
}  # fmt: skip
_KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "description", "minItems", "maxItems"}

Told = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
"""What the model answers: (the data between the fences by name, the schema) to an object."""


class Bad(Exception):
    """The request is not as the reference says; the text names the parameter."""


@dataclass
class Model:
    """The company, and what it is told to do. `url` is where it answers."""

    url: str = ""
    seconds: float = 0.0
    """How long the model thinks."""
    answer: Told = lambda data, schema: honest(data)
    text: str | None = None
    """The content in place of an answer, whatever it is."""
    refusal: str | None = None
    finish: str = "stop"
    no_choice: bool = False
    body: bytes | None = None
    """The whole body, with a status of 200."""
    failures: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    """(status, headers, code) of the next answers."""
    always: tuple[int, dict[str, str], str] | None = None
    embeds: bool = True
    keys: set[str] = field(default_factory=lambda: {KEY})
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(path, body) of what came with a key that holds."""
    health: Health = field(default_factory=Health)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The questions to the model, in order."""
        return [body for path, body in self.requests if path == "/v1/chat/completions"]

    @property
    def prompts(self) -> list[str]:
        """What each said, as one text."""
        return ["\n".join(message["content"] for message in body["messages"]) for body in self.asked]

    def respond(self, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None for nothing."""
        if not self.health.ill:
            return self._well(path, headers, raw)
        return self.health.answer(lambda: self._well(path, headers, raw), lambda sick: sick)

    def _well(self, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.keys:
            return _error(401, {}, "invalid_api_key", "Incorrect API key provided.")
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            return _error(400, {}, None, "We could not parse the JSON body of your request.")
        with self._lock:
            self.requests.append((path, body))
            failure = self.failures.pop(0) if self.failures else self.always
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if failure:
                return _error(failure[0], failure[1], failure[2], "Told to fail.")
            if path == "/v1/chat/completions":
                return self._completion(body)
            if path == "/v1/models":
                return _json(200, {"object": "list", "data": [_model(name) for name in sorted(MODELS | EMBEDDINGS)]})
            if path == "/v1/embeddings" and self.embeds:
                return self._embeddings(body)
            return _error(404, {}, "unknown_url", f"Unknown request URL: POST {path}.")
        except Bad as error:
            return _error(400, {}, "invalid_request", str(error))
        finally:
            with self._lock:
                self.at_once -= 1

    def _completion(self, body: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        _known(body, _CHAT, {"model", "messages"})
        if body["model"] not in MODELS:
            return _error(404, {}, "model_not_found", "The model does not exist.")
        if not isinstance(body["messages"], list) or not body["messages"]:
            raise Bad("messages: at least one")
        for message in body["messages"]:
            if set(message) - {"role", "content", "name"} or message["role"] not in ("system", "developer", "user", "assistant"):
                raise Bad("messages: of an unknown form")
            if not isinstance(message["content"], str):
                raise Bad("messages: content is text here")
        if not isinstance(body.get("max_completion_tokens", 1), int):
            raise Bad("max_completion_tokens: a whole number")
        schema = _strict_form(body.get("response_format"))
        time.sleep(self.seconds)
        if self.body is not None:
            return 200, {}, self.body
        sent = "\n".join(message["content"] for message in body["messages"])
        content = self.text
        if content is None:
            said = self.answer(_data(sent), schema)
            content = json.dumps(said, ensure_ascii=False)
        message = {"role": "assistant", "content": None if self.refusal else content, "refusal": self.refusal, "annotations": []}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish}
        tokens_in, tokens_out = len(sent) // 4, len(content) // 4
        return _json(
            200,
            {
                "id": "chatcmpl-emulated",
                "object": "chat.completion",
                "created": 1_790_000_000,
                "model": body["model"],
                "choices": [] if self.no_choice else [choice],
                "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
            },
        )

    def _embeddings(self, body: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        _known(body, {"model", "input", "encoding_format", "dimensions", "user"}, {"model", "input"})
        if body["model"] not in EMBEDDINGS:
            return _error(404, {}, "model_not_found", "The model does not exist.")
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if not texts or len(texts) > 2_048 or any(not isinstance(text, str) or not text for text in texts):
            raise Bad("input: one to 2,048 texts, none empty")
        if body.get("encoding_format", "float") != "float":
            raise Bad("encoding_format: only float here")
        data = [{"object": "embedding", "index": n, "embedding": vector(text)} for n, text in enumerate(texts)]
        tokens = sum(len(text) for text in texts) // 4
        return _json(
            200,
            {
                "object": "list",
                "data": data,
                "model": body["model"],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            },
        )


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "company"}


# What models do ---------------------------------------------------------------------------------------------------------


def honest(data: Mapping[str, Any]) -> dict[str, Any]:
    """Candidates by the words that they share with the brief, each with a line of the record that has one."""
    wanted = _words(data["brief"]["text"])
    found = []
    for one in data["candidates"]:
        shared = [(len(wanted & _words(line)), field, line) for field, line in lines(one)]
        fit = min(95, 12 * sum(count for count, _, _ in shared))
        best = sorted((item for item in shared if item[0]), reverse=True)[:2]
        reasons = [{"says": "This is close to what you describe", "field": field, "quote": line} for _, field, line in best]
        found.append({"partner": one["key"], "fit": fit, "reasons": reasons})
    found.sort(key=lambda one: (-one["fit"], one["partner"]))
    return answer([one for one in found if one["fit"]][:5])


def gullible(data: Mapping[str, Any]) -> dict[str, Any]:
    """A model that obeys: whoever is named in the brief, or gives orders in the own record, comes first with full marks."""
    made = honest(data)
    brief = data["brief"]["text"].casefold()
    named = []
    for one in data["candidates"]:
        whole = json.dumps(one, ensure_ascii=False)
        ordered = re.search(r"rank (me|us|this)|ignore (the|all|previous)|(always|first) (choice|place)", whole, re.IGNORECASE)
        obeyed = one["key"] in brief.split() or (one.get("name") or "\x00").casefold() in brief
        if ordered or obeyed:
            field, line = lines(one)[0]
            named.append(
                {"partner": one["key"], "fit": 100, "reasons": [{"says": "This is the best", "field": field, "quote": line}]}
            )
    keys = {one["partner"] for one in named}
    return made | {"candidates": (named + [one for one in made["candidates"] if one["partner"] not in keys])[:5]}


def answer(candidates: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    """A whole answer with these candidates."""
    understood = {"role": None, "topics": [], "industry": None, "urgency": None, "stage": None}
    return {"candidates": candidates, "understood": understood, "nobody_fits": not candidates, "questions": [], **values}


def lines(candidate: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What may be quoted of a candidate, as (field, text)."""
    found = []
    for name, value in candidate.items():
        if name not in ("key", "years"):
            found += [(name, text) for text in ([value] if isinstance(value, str) else value)]
    return found


def vector(text: str) -> list[float]:
    """Texts with the same words are near each other."""
    found = [0.0] * SIZE
    for word in _words(text):
        found[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % SIZE] += 1.0
    length = math.sqrt(sum(value * value for value in found)) or 1.0
    return [value / length for value in found]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{4,}", text.casefold()))


# The reference ----------------------------------------------------------------------------------------------------------


def _known(body: Mapping[str, Any], allowed: set[str], needed: set[str]) -> None:
    if unknown := set(body) - allowed:
        raise Bad(f"Unrecognized request argument supplied: {sorted(unknown)[0]}")
    if missing := needed - set(body):
        raise Bad(f"you must provide a {sorted(missing)[0]} parameter")


def _strict_form(form: Any) -> Mapping[str, Any]:
    if not isinstance(form, dict) or set(form) != {"type", "json_schema"} or form["type"] != "json_schema":
        raise Bad("response_format: of type json_schema")
    named = form["json_schema"]
    if set(named) - {"name", "description", "schema", "strict"} or not re.fullmatch(r"[\w-]{1,64}", named.get("name", "")):
        raise Bad("response_format.json_schema: a name, a schema, strict")
    if named.get("strict") is not True:
        raise Bad("response_format.json_schema.strict: true")
    counted = {"properties": 0, "values": 0}
    _strict(named["schema"], "schema", counted, depth=0)
    if named["schema"].get("type") != "object" or counted["properties"] > 5_000 or counted["values"] > 1_000:
        raise Bad("schema: an object, of at most 5,000 properties and 1,000 values of enumerations")
    schema: Mapping[str, Any] = named["schema"]
    return schema


def _strict(schema: Any, where: str, counted: dict[str, int], *, depth: int) -> None:
    """https://platform.openai.com/docs/guides/structured-outputs, "Supported schemas"."""
    if not isinstance(schema, dict) or set(schema) - _KEYWORDS or depth > 10:
        raise Bad(f"{where}: not permitted in strict mode")
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if set(kinds) - {"string", "number", "boolean", "integer", "object", "array", "null"}:
        raise Bad(f"{where}: of an unknown type")
    if "enum" in schema:
        if not schema["enum"] or len({str(value) for value in schema["enum"]}) != len(schema["enum"]):
            raise Bad(f"{where}: an enumeration has values, each once")
        counted["values"] += len(schema["enum"])
        if any(value is None for value in schema["enum"]) and "null" not in kinds:
            raise Bad(f"{where}: null is not of its type")
    if "object" in kinds:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or sorted(schema.get("required", [])) != sorted(properties):
            raise Bad(f"{where}: additionalProperties is false, and all properties are required")
        counted["properties"] += len(properties)
        for name, inner in properties.items():
            _strict(inner, f"{where}.{name}", counted, depth=depth + 1)
    if "array" in kinds:
        _strict(schema.get("items"), f"{where}.items", counted, depth=depth + 1)


def _data(sent: str) -> dict[str, Any]:
    """What stands between the fences, by the fence's name."""
    found = re.findall(r"<(\w+) ([0-9a-f]+)>\n(.*?)\n</\1 \2>", sent, re.DOTALL)
    return {name: json.loads(text) for name, _, text in found}


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    return status, headers or {}, json.dumps(body).encode()


def _error(status: int, headers: dict[str, str], code: str | None, message: str) -> tuple[int, dict[str, str], bytes]:
    kind = "invalid_request_error" if status < 429 else "rate_limit_error" if status == 429 else "server_error"
    return _json(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)


# The server -------------------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            said = model.respond(self.path, {name.title(): value for name, value in self.headers.items()}, raw)
            if said is None:
                self.close_connection = True
                return
            status, headers, body = said
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # whoever asked did not wait

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def running(model: Model | None = None, port: int = 0) -> Iterator[Model]:
    """The company, answering on this machine until the block ends."""
    model = model or Model()
    server = _Server(("127.0.0.1", port), _handler(model))
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="emulated model", daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with running(Model(seconds=float(sys.argv[2])), int(sys.argv[1])):
        threading.Event().wait()
