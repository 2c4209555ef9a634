"""Recoup: failed-payment recovery for Stripe subscriptions. Only `create_app` is to be imported from here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.factory import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Load the web program when it is asked for, so that a clock or a command does not pay for its pages."""
    if name == "create_app":
        return import_module("app.factory").create_app
    raise AttributeError(name)
