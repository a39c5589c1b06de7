"""One browser of `fxo demo --check`: pages, forms and redirects as for a person without scripts, and the token of a card."""

from __future__ import annotations

import httpx

from fxo.demo.pages import Page
from fxo.demo.seed import Signin


class Visitor:
    """One browser at one host: connects to 127.0.0.1 and says in the Host header where it wants to be."""

    def __init__(self, address: tuple[str, int], host: str) -> None:
        self.http = httpx.Client(
            base_url=f"http://{address[0]}:{address[1]}", headers={"Host": f"{host}:{address[1]}"}, timeout=70
        )

    def get(self, path: str) -> Page:
        return self._page(self.http.get(path))

    def post(self, path: str, data: dict[str, str]) -> Page:
        return self._page(self.http.post(path, data=data))

    def submit(self, page: Page, action: str, **values: str) -> Page:
        """Fill in the form of the page that is sent there, and send it."""
        return self.post(action, page.form(action) | values)

    def follow(self, page: Page) -> Page:
        """Go where the answer leads, until there is a page."""
        for _ in range(8):
            if page.status not in (301, 302, 303, 307):
                return page
            page = self.get(page.location)
        raise AssertionError(f"redirects do not end: {page.location}")

    def sign_in(self, signin: Signin) -> Page:
        return self.follow(self.submit(self.get("/sign-in"), "/sign-in", mail=signin.mail, password=signin.password))

    def token(self, number: str) -> str:
        """What the card field's script gets for a card."""
        card = {"number": number, "exp_month": 12, "exp_year": 2035, "cvc": "123"}
        answer = self.http.post("/plugins/payments_sandbox/tokens", json=card)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def press(self, slot: dict[str, str]) -> Page:
        """Press the button of a free time."""
        fields = dict(slot)
        return self.follow(self.post(fields.pop(""), fields))

    def pay(self, page: Page, number: str) -> Page:
        """Fill in the card, and press the one button of a page on which one pays."""
        action = next(str(form["action"]) for form in page.soup.select("form[id=pay-form], form[action^='/book/']"))
        return self.follow(self.submit(page, action, method="new", method_token=self.token(number)))

    def _page(self, answer: httpx.Response) -> Page:
        return Page(answer.status_code, answer.headers, answer.text)


def local(page: Page) -> Page:
    """The same answer with its redirect as a path of this host, which cannot be resolved by name here."""
    location = page.headers.get("Location", "")
    if "://" in location:
        return Page(page.status, {"Location": "/" + location.split("/", 3)[3]}, page.text)
    return page
