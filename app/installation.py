"""What a home adds to the settings: its embedded services, secrets it made for itself, and how `up` was last started.

So a command typed in a second terminal means the Recoup that runs from this home, with nothing to set. What the
environment gives always wins.
"""

import base64
import json
import os
import secrets
from pathlib import Path

from app import embedded
from app.errors import RecoupError
from app.settings import Settings

_SECRETS = ("secret_key", "encryption_keys")
_NEEDED = ("database_url", "redis_url", "secret_key", "encryption_keys")
_REMEMBERED = ("sandbox", "sandbox_port", "port", "public_url")


class NotRunning(RecoupError):
    """No Recoup runs from this home, and the environment names none elsewhere (or not all that one needs)."""


def with_services(settings: Settings, services: embedded.Services) -> Settings:
    """`settings` with the embedded services in place of those that are not configured."""
    database = services.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    update = {
        "database_url": settings.database_url or database,
        "redis_url": settings.redis_url or services.redis_url,
    }
    return settings.model_copy(update=update)


def with_sandbox(settings: Settings) -> Settings:
    """In sandbox mode, `settings` with the sandbox for Stripe; else as they are."""
    if not settings.sandbox or settings.stripe_api_base:
        return settings
    return settings.model_copy(update={"stripe_api_base": f"http://127.0.0.1:{settings.sandbox_port}"})


def with_kept_secrets(settings: Settings) -> Settings:
    """`settings` with the secrets that this home made for itself earlier, where none are configured."""
    kept = {}
    for name in _SECRETS:
        file = settings.home / "secrets" / name
        if not getattr(settings, name) and file.exists():
            kept[name] = file.read_text()
    return settings.model_copy(update=kept)


def make_secrets(settings: Settings) -> None:
    """Make and keep the secrets that are neither configured nor kept; nobody else can read them."""
    folder = settings.home / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    for name, value in zip(_SECRETS, (secrets.token_urlsafe(48), f"local:{key}"), strict=True):
        if not getattr(settings, name) and not (folder / name).exists():
            _write(folder / name, value)


def remember(settings: Settings) -> None:
    """Note how `up` was started, for `complete`. No secrets."""
    _write(_note(settings), json.dumps({name: getattr(settings, name) for name in _REMEMBERED}))


def complete(settings: Settings) -> Settings:
    """`settings` with all that the home knows: what a command needs to speak to the Recoup that runs from it.

    Without a running one its URLs stay unset, which `check` tells.
    """
    try:
        noted = json.loads(_note(settings).read_text())
    except FileNotFoundError:
        noted = {}
    update = {name: value for name, value in noted.items() if name not in settings.model_fields_set}
    found = with_kept_secrets(with_sandbox(settings.model_copy(update=update)))
    if found.database_url and found.redis_url:
        return found
    services = embedded.running(settings.home)
    return with_services(found, services) if services else found


def missing(settings: Settings) -> list[str]:
    """The variables of all settings that every process needs and these do not have."""
    fields = type(settings).model_fields
    return [str(fields[name].validation_alias) for name in _NEEDED if not getattr(settings, name)]


def check(settings: Settings) -> Settings:
    """`settings` again, when nothing is missing; raises `NotRunning`, which says what to do."""
    lacking = missing(settings)
    if not lacking:
        return settings
    variables = ", ".join(lacking)
    if "DATABASE_URL" in lacking:
        raise NotRunning(
            f"Recoup is not running here ({settings.home}). Start it with `make run`; or, for one of your own, set"
            f" {variables}."
        )
    raise NotRunning(f"not set: {variables}. Give each in the environment, or name a file in …_FILE.")


def environment(given: Settings, completed: Settings) -> dict[str, str]:
    """The environment for a child process: ours, and what `completed` has beyond `given`."""
    added = {}
    for name, field in Settings.model_fields.items():
        value = getattr(completed, name)
        if value != getattr(given, name) or name == "home":
            added[str(field.validation_alias)] = str(value)
    return os.environ | added


def _note(settings: Settings) -> Path:
    return settings.home / "up.json"


def _write(path: Path, text: str) -> None:
    """Write whole or not at all, for our eyes only."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
