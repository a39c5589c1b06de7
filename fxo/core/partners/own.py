"""What partners write about themselves, with the same limits as a file of the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator

from fxo.core.errors import Invalid
from fxo.core.partners.availability import Availability
from fxo.core.partners.importing import Labels, Lines, PartnerImport, Text, sentence


class OwnProfile(BaseModel):
    """Roles, certificates, the mail address and who may see the partner are checked by the operator, and so not among these."""

    model_config = PartnerImport.model_config

    name: Text = Field(min_length=1, max_length=120)
    title: Text = Field(min_length=1, max_length=160)
    headline: Text = Field("", max_length=240)
    bio: Text = Field(min_length=1, max_length=5_000)
    skills: Labels = Field(min_length=1, max_length=40)
    industries: Labels = Field((), max_length=40)
    languages: Labels = Field(min_length=1, max_length=20)
    cases: Lines = Field(min_length=1, max_length=20)
    years: int = Field(ge=0, le=70)
    zone: str

    @field_validator("zone")
    @classmethod
    def _real_zone(cls, zone: str) -> str:
        try:
            return Availability(zone=zone).zone
        except Invalid as error:
            raise ValueError(error.message) from error


def read(data: Mapping[str, Any]) -> OwnProfile | dict[str, str]:
    """The profile that was typed, or what is wrong with it: a sentence by field. Of a list the faulty entry is named."""
    try:
        return OwnProfile.model_validate(data)
    except ValidationError as error:
        found: dict[str, str] = {}
        for each in error.errors(include_url=False):
            field, *entry = each["loc"]
            about = f"“{str(each['input'])[:30]}”: " if entry else ""
            found.setdefault(str(field), about + sentence(each))
        return found
