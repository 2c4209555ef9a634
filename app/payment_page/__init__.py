"""The customer's page behind the signed link."""

from flask import Blueprint

payment_page = Blueprint("payment_page", __name__, url_prefix="/pay")
