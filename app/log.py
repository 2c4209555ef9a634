"""Structured logs: a JSON line an event, ids only. What looks like a secret or an address is masked."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(
    r"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_\w+|\bSG\.[\w.-]+|(?<=://)[^/\s:@]+:[^@\s/]+(?=@)|/(?:pay|unsubscribe|notice)/[\w.~-]+"
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def masked(text: str) -> str:
    """`text` without keys, webhook secrets, passwords in URLs, payment-page tokens and e-mail addresses."""
    return _ADDRESS.sub("[address]", _SECRETS.sub("[secret]", text))


def _mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: masked(value) if isinstance(value, str) else value for key, value in event.items()}


class _MaskingFormatter(logging.Formatter):
    """For the libraries that log through the standard module."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def configure(process: str) -> None:
    """Set up logging for one process, once, writing to standard error; `process` names it in every line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_MaskingFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask_event,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def get_logger(name: str) -> Any:
    """A logger that carries the module's name; log ids, never people."""
    return structlog.get_logger(module=name)
