"""Secrets at rest: AES-256-GCM envelopes with a key id and a context, and a key ring that can be rotated.

Each secret has a data key of its own, wrapped by a master key of the ring; the context (table, column, row) is bound
into both seals, so that a sealed value cannot be moved to another row. ASVS 5.0 11.3.2 and 13.3.
"""

import base64
import os
import re
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import RecoupError

_VERSION = b"r1"
_NONCE = 12
_KEY = 32
_WRAPPED = _NONCE + _KEY + 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class SecretUnreadable(RecoupError):
    """A sealed value does not open with any key of the ring in this context."""


class KeyRingInvalid(RecoupError):
    """RECOUP_ENCRYPTION_KEYS cannot be used; the text says why."""


class KeyRing:
    """Master keys by id; the first one seals, all of them open.

    Written as `id:base64,id:base64` with 32-byte keys, newest first (`RECOUP_ENCRYPTION_KEYS`).
    """

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        given = list(keys)
        self._keys = dict(given)
        if not given:
            raise KeyRingInvalid("RECOUP_ENCRYPTION_KEYS holds no key; `recoup keys generate 2026a` prints one")
        if len(self._keys) < len(given):
            raise KeyRingInvalid("RECOUP_ENCRYPTION_KEYS holds two keys of the same id; give each an id of its own")
        for key_id, key in self._keys.items():
            _check_id(key_id)
            if len(key) != _KEY:
                raise KeyRingInvalid(f"encryption key {key_id!r} must be 32 bytes in base64")
        self.newest = next(iter(self._keys))

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read a ring as it stands in the environment; raises `KeyRingInvalid`."""
        pairs = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            key_id, colon, encoded = part.partition(":")
            if not colon:  # what there is may be a key, which no message may repeat
                raise KeyRingInvalid("a key in RECOUP_ENCRYPTION_KEYS has no id; write it like 2026a:<base64>")
            try:
                pairs.append((key_id, base64.b64decode(encoded, validate=True)))
            except ValueError as problem:
                raise KeyRingInvalid(f"encryption key {key_id!r} is not base64") from problem
        return cls(pairs)

    def seal(self, secret: str, context: str) -> bytes:
        """Encrypt `secret` for one place, named by `context`."""
        data_key = AESGCM.generate_key(256)
        key_id = self.newest.encode()
        wrapped = _encrypt(self._keys[self.newest], data_key, context)
        return _VERSION + bytes([len(key_id)]) + key_id + wrapped + _encrypt(data_key, secret.encode(), context)

    def open(self, sealed: bytes, context: str) -> str:
        """Decrypt what `seal` made; raises `SecretUnreadable`."""
        key_id, rest = _split(sealed)
        if key_id not in self._keys:
            raise SecretUnreadable(
                f"the secret is sealed with key {key_id!r}, which RECOUP_ENCRYPTION_KEYS does not hold"
            )
        try:
            data_key = _decrypt(self._keys[key_id], rest[:_WRAPPED], context)
            return _decrypt(data_key, rest[_WRAPPED:], context).decode()
        except InvalidTag as problem:
            raise SecretUnreadable("a stored secret was changed, moved, or sealed with another key") from problem

    def is_newest(self, sealed: bytes) -> bool:
        """Whether `sealed` already uses the ring's first key (rotation skips it)."""
        return _split(sealed)[0] == self.newest


def generate_key(key_id: str) -> str:
    """A fresh `id:base64` entry for the ring; raises `KeyRingInvalid` for an id that could not be read again."""
    _check_id(key_id)
    return f"{key_id}:{base64.b64encode(os.urandom(_KEY)).decode()}"


def _check_id(key_id: str) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise KeyRingInvalid(f"{key_id!r} cannot name a key: 1 to 32 letters, digits, _ and - can, as 2026a")


def _split(sealed: bytes) -> tuple[str, bytes]:
    if sealed[:2] != _VERSION or len(sealed) < 3 or len(sealed) < 3 + sealed[2] + _WRAPPED:
        raise SecretUnreadable("a stored secret is not in the form Recoup writes")
    end = 3 + sealed[2]
    return sealed[3:end].decode(errors="replace"), sealed[end:]


def _encrypt(key: bytes, plain: bytes, context: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def _decrypt(key: bytes, sealed: bytes, context: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
