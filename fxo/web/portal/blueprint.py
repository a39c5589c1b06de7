"""The blueprint that the portal's modules hang their pages on."""

from flask import Blueprint

blueprint = Blueprint("portal", __name__)
