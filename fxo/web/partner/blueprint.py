"""The blueprint that the modules of the partners' workspace hang their pages on."""

from flask import Blueprint

blueprint = Blueprint("partner", __name__)
