"""`recoup keys`: keys to the API made, listed and revoked from the command line; sealed secrets moved to a new key."""

import json
from dataclasses import replace
from importlib import import_module

import pytest
from click.testing import CliRunner

from app.accounts import api_keys
from app.accounts.users import create_organization
from app.cli.keys import keys
from app.clock import SystemClock
from app.context import Context
from app.crypto import KeyRing, generate_key

WALL = SystemClock().now()


@pytest.fixture
def at(context: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """The commands speak to this installation, in which Acme lives."""
    with context.database.system() as session:
        create_organization(session, "acme", "Acme", context.clock.now())
    speak_to(context, monkeypatch)
    return context


def speak_to(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("app.cli.keys", "app.cli.api_keys"):
        monkeypatch.setattr(import_module(module), "open_context", lambda: context)


def run(*arguments: str, fails: bool = False, answer: str = "") -> str:
    result = CliRunner().invoke(keys, arguments, input=answer)
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def test_a_key_is_made_listed_and_revoked(at: Context) -> None:
    made = json.loads(run("create", "Shop server", "--write", "--days", "30", "--json"))
    with at.database.system() as session:
        holder = api_keys.find_holder(session, made["key"], WALL)
    assert holder is not None
    assert holder.scopes == {"read", "write"}
    listed = json.loads(run("list", "--json"))
    assert [(row["name"], row["in_force"], row["prefix"]) for row in listed] == [("Shop server", True, made["prefix"])]
    assert made["key"] not in run("list")
    run("revoke", made["prefix"], fails=True, answer="n\n")
    assert "is revoked" in run("revoke", made["prefix"], "--yes")
    assert "was revoked before" in run("revoke", made["prefix"], "--yes")
    with at.database.system() as session:
        assert api_keys.find_holder(session, made["key"], WALL) is None


def test_mistakes_are_told_as_sentences(at: Context) -> None:
    assert "no API key" in run("list")
    assert "recoup keys list" in run("revoke", "rcp_nothing", "--yes", fails=True)
    assert "name of 1 to" in run("create", " ", fails=True)
    assert "rcs_" not in run("create", "Reader")


def test_rotating_moves_signing_secrets_and_leaves_revoked_keys_alone(
    at: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads(run("create", "Shop server", "--write", "--json"))
    run("revoke", json.loads(run("create", "Old", "--write", "--json"))["prefix"], "--yes")
    ring = KeyRing.parse(f"{generate_key('newer')},{at.settings.encryption_keys}")
    speak_to(replace(at, keys=ring), monkeypatch)
    assert "1 secret moved to key newer" in run("rotate")
    assert "0 secrets" in run("rotate")
    with at.database.system() as session:
        signer = api_keys.find_signer(session, ring, made["prefix"], WALL)
    assert signer is not None
    assert signer[1] == made["signing_secret"]
