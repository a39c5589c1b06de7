"""Where a partner sets up being paid: on a page of the payment provider, which asks who they are and where money goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import NotFound, ProviderError, Unready
from fxo.core.scope import Permission
from fxo.web import forms, identity
from fxo.web.frame import frame
from fxo.web.partner.blueprint import blueprint

if TYPE_CHECKING:
    from fxo.core.payments.port import PaymentProvider


def who_pays() -> PaymentProvider | None:
    """The provider that pays partners from the operator's account and has to know them first; None where none does."""
    parts = platform.current()
    for config in parts.records.all():
        if not config.own_payment_account:
            _name, provider = parts.providers.chain(config, "payments")[0]
            try:
                if provider.capabilities.onboarding:
                    return provider
            except ProviderError:
                continue  # not filled in: doctor and the operator's pages say so
    return None


@blueprint.post("/earnings/account")
@identity.needs(Permission.COMPLETE_SESSIONS)
@forms.once
def set_up() -> ResponseReturnValue:
    """A page with the way to the provider, which works once and for a few minutes."""
    parts, provider = platform.current(), who_pays()
    if provider is None:
        raise NotFound("There is nothing to set up.")
    back = parts.settings.url(parts.settings.host("partners"), "/earnings")
    try:
        url = provider.payout_onboarding(identity.required().actor.id, back)
    except ProviderError as error:
        raise Unready("The payment provider does not answer at the moment. Please try again in a minute.") from error
    return render_template("partner/account.html", **frame(), url=url, back=back)
