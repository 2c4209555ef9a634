"""What can go wrong with the embedded services, each error with the way out in its text."""

from app.errors import RecoupError


class EmbeddedServiceFailed(RecoupError):
    """PostgreSQL or Valkey would not start, stop or answer; the text carries the end of its log."""


class ServiceAccountUnavailable(RecoupError):
    """Running as root, and there is no unprivileged account that the services could run under."""


class DataUnusable(RecoupError):
    """The data under this home was made by another PostgreSQL or belongs to another user."""


class HomeBusy(RecoupError):
    """Another process has been starting or stopping the services of this home for too long."""
