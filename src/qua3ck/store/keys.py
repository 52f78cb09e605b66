"""Where private keys lie, and the four things done with them: sign, check, seal, unseal.

Keys never lie in the project folder. One person is one file with two private keys:
Ed25519 for signatures, X25519 for secrets that only this person can unwrap (HPKE, RFC
9180). Secrets are 32 random bytes such as the key of one seal.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import Suite

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
_NONCE = 12
_SALT = 16
_LOCKED = b"qua3ck-scrypt-1:"


@dataclass(frozen=True)
class PublicKeys:
    """A person's two public keys, 32 raw bytes each."""

    signing: bytes
    sealing: bytes

    def as_text(self) -> dict[str, str]:
        """Return both keys as base64, as they stand in ``people/<name>.pub``."""
        return {
            "signing": base64.b64encode(self.signing).decode(),
            "sealing": base64.b64encode(self.sealing).decode(),
        }

    @classmethod
    def from_text(cls, text: Mapping[str, object], *, where: str) -> PublicKeys:
        """Return the keys that :meth:`as_text` wrote.

        Raises
        ------
        Qua3ckError
            If one is missing, no base64, or not 32 bytes long.
        """
        return cls(_raw(text, "signing", where), _raw(text, "sealing", where))


@dataclass(frozen=True)
class Identity:
    """A person who can sign and unwrap here, because the private keys are in this store."""

    name: str
    public: PublicKeys
    _signing: Ed25519PrivateKey
    _sealing: X25519PrivateKey

    def __repr__(self) -> str:
        """Return the name alone; no key is ever printed."""
        return f"Identity({self.name!r})"

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) of ``message``."""
        return self._signing.sign(message)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Return the secret that :func:`wrap` closed for this person.

        Raises
        ------
        Qua3ckError
            If it was wrapped for somebody else, for another purpose, or was changed.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return _suite().decrypt(wrapped, self._sealing, info=aad)
        except (InvalidTag, ValueError) as problem:
            raise Qua3ckError(
                f'The key of "{self.name}" does not unwrap this secret',
                where=f"secret wrapped for {aad.decode(errors='replace')}",
                fix="open it as the person it was wrapped for: set QUA3CK_ACTOR to that name",
                code="S033",
            ) from problem


class KeyStore:
    """A folder outside the project with private keys and secrets, readable by its owner only.

    Parameters
    ----------
    folder : Path
        Made with mode 0700 when first written to; every file in it has mode 0600.
    passphrase : bytes, optional
        Encrypts what is written from now on, and opens what was written with it.
    """

    def __init__(self, folder: Path, *, passphrase: bytes | None = None) -> None:
        self.folder = folder
        self._passphrase = passphrase or None

    def __repr__(self) -> str:
        """Return the place alone."""
        return f"KeyStore({str(self.folder)!r})"

    @classmethod
    def default(cls, environment: Mapping[str, str] | None = None) -> KeyStore:
        """Return the store at ``$QUA3CK_KEYS``, else in the user's configuration folder."""
        env = os.environ if environment is None else environment
        passphrase = env.get("QUA3CK_PASSPHRASE", "").encode()
        return cls(_default_folder(env), passphrase=passphrase)

    def secret(self, name: str, *, create: bool) -> bytes:
        """Return the 32 secret bytes kept as ``name``, such as ``seal-<id>``.

        Raises
        ------
        Qua3ckError
            If there is none and ``create`` is false, or the file's mode lets others read it.
        """
        path = self._path("secrets", name, ".key")
        if not path.exists() and create:
            with self._lock():
                if not path.exists():
                    self._write(path, self._close(secrets.token_bytes(32)))
        return self._open_secret(path, name)

    def put_secret(self, name: str, value: bytes) -> None:
        """Keep 32 secret bytes under ``name``.

        Raises
        ------
        Qua3ckError
            If another value is kept there already: rows sealed with it would be lost.
        """
        if len(value) != 32:
            message = f"a secret has 32 bytes, not {len(value)}"
            raise ValueError(message)
        path = self._path("secrets", name, ".key")
        with self._lock():
            if path.exists() and self._open_secret(path, name) != value:
                raise Qua3ckError(
                    f'The key store already keeps another secret as "{name}"',
                    where=str(path),
                    fix="keep a copy of that file elsewhere and remove it, if it is really unused",
                    code="S034",
                )
            if not path.exists():
                self._write(path, self._close(value))

    def drop_secret(self, name: str) -> None:
        """Remove a secret; what was sealed with it can be read by nobody again."""
        self._path("secrets", name, ".key").unlink(missing_ok=True)

    def has_identity(self, name: str) -> bool:
        """Return whether the private keys of ``name`` lie in this store."""
        return self._path("people", name, ".pem").exists()

    def identity(self, name: str, *, create: bool) -> Identity:
        """Return the person ``name`` with both private keys.

        Raises
        ------
        Qua3ckError
            If there is none and ``create`` is false, if the passphrase is wrong, or if the
            file's mode lets others read it.
        """
        path = self._path("people", name, ".pem")
        if not path.exists() and create:
            with self._lock():
                if not path.exists():
                    self._write(path, _new_person(self._passphrase))
        if not path.exists():
            raise Qua3ckError(
                f'No private key of "{name}" in the key store',
                where=str(path),
                fix=f'copy "{name}"\'s key file there, set QUA3CK_KEYS to the folder that has it, '
                "or act as somebody else: set QUA3CK_ACTOR",
                code="S031",
            )
        _refuse_open_modes(path)
        return _person(name, path, self._passphrase)

    def _open_secret(self, path: Path, name: str) -> bytes:
        if not path.exists():
            raise Qua3ckError(
                f'No secret "{name}" in the key store',
                where=str(path),
                fix="set QUA3CK_KEYS to the folder that has it, or ask the person who made it: "
                "without this key the rows stay sealed",
                code="S032",
            )
        _refuse_open_modes(path)
        return self._unlock(path.read_bytes(), path)

    def _close(self, value: bytes) -> bytes:
        if self._passphrase is None:
            return value
        salt = secrets.token_bytes(_SALT)
        return _LOCKED + salt + encrypt(_stretched(self._passphrase, salt), value, _LOCKED)

    def _unlock(self, stored: bytes, path: Path) -> bytes:
        if not stored.startswith(_LOCKED):
            if len(stored) == 32:
                return stored
            raise _unreadable(path)
        if self._passphrase is None:
            raise _wrong_passphrase(path, given=False)
        body = stored[len(_LOCKED) :]
        key = _stretched(self._passphrase, body[:_SALT])
        try:
            return decrypt(key, body[_SALT:], _LOCKED)
        except Qua3ckError as problem:
            raise _wrong_passphrase(path, given=True) from problem

    def _path(self, kind: str, name: str, suffix: str) -> Path:
        if not _NAME.match(name):
            raise Qua3ckError(
                f'"{name}" cannot be the name of a key',
                where=f"key store {self.folder}",
                fix="use small letters, digits, dot, dash and underscore, at most 64 of them",
                code="S035",
            )
        return self.folder / kind / f"{name}{suffix}"

    def _write(self, path: Path, data: bytes) -> None:
        self._folder(path.parent)
        old = os.umask(0o077)
        try:
            write_atomic(path, data)
        finally:
            os.umask(old)

    def _folder(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise Qua3ckError(
                f"The key store cannot be made: {problem.strerror}",
                where=str(folder),
                fix="set QUA3CK_KEYS to a folder of yours outside the project",
                code="S036",
            ) from problem

    @contextmanager
    def _lock(self) -> Iterator[None]:
        from filelock import FileLock

        if not self.folder.exists():
            self._folder(self.folder)
        _refuse_open_modes(self.folder)
        with FileLock(self.folder / ".lock", timeout=60, mode=0o600):
            yield


def verify(signing: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether ``signature`` is that of ``message`` by the holder of ``signing``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(signing).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def wrap(sealing: bytes, secret: bytes, aad: bytes) -> bytes:
    """Return ``secret`` so that only the holder of the private half of ``sealing`` can read it.

    HPKE in base mode: X25519, HKDF-SHA256, AES-256-GCM; ``aad`` is bound as its info.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    return _suite().encrypt(secret, X25519PublicKey.from_public_bytes(sealing), info=aad)


def encrypt(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Return AES-256-GCM of ``plaintext``, its random 96-bit nonce in front."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def decrypt(key: bytes, blob: bytes, aad: bytes) -> bytes:
    """Return what :func:`encrypt` closed.

    Raises
    ------
    Qua3ckError
        If the key or the purpose is another one, or a byte was changed: the cipher
        cannot tell these apart.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(blob[:_NONCE], blob[_NONCE:], aad)
    except (InvalidTag, ValueError) as problem:
        raise Qua3ckError(
            "The key does not open what was sealed: it is the wrong key, or a byte was changed",
            where=f"sealed for {aad.decode(errors='replace')}",
            fix="use the key store in which the seal was made: set QUA3CK_KEYS to its folder",
            code="S033",
        ) from problem


def _default_folder(env: Mapping[str, str]) -> Path:
    if env.get("QUA3CK_KEYS"):
        return Path(env["QUA3CK_KEYS"]).expanduser()
    if sys.platform == "win32":
        base = env.get("APPDATA") or str(Path.home() / "AppData" / "Roaming")
    else:
        base = env.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "qua3ck" / "keys"


def _refuse_open_modes(path: Path) -> None:
    """Refuse a folder, or a file and its folder, that others on the machine may enter or read."""
    if os.name != "posix":
        return
    if not path.is_dir():
        _refuse_open_modes(path.parent)
    wanted = "700" if path.is_dir() else "600"
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise Qua3ckError(
            f"Others on this machine may read the keys: mode {mode:o}, wanted {wanted}",
            where=str(path),
            fix=f"chmod {wanted} {path}",
            code="S037",
        )


def _new_person(passphrase: bytes | None) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    closing: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    )
    keys = (Ed25519PrivateKey.generate(), X25519PrivateKey.generate())
    return b"".join(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closing) for key in keys)


def _person(name: str, path: Path, passphrase: bytes | None) -> Identity:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    blocks = re.findall(
        rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----\n?", path.read_bytes(), re.DOTALL
    )
    loaded = [_private(block, path, passphrase) for block in blocks]
    match loaded:
        case [Ed25519PrivateKey() as signing, X25519PrivateKey() as sealing]:
            public = PublicKeys(
                signing.public_key().public_bytes_raw(), sealing.public_key().public_bytes_raw()
            )
            return Identity(name, public, signing, sealing)
    raise _unreadable(path)


def _private(block: bytes, path: Path, passphrase: bytes | None) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    locked = b"ENCRYPTED" in block
    if locked and passphrase is None:
        raise _wrong_passphrase(path, given=False)
    try:
        return load_pem_private_key(block, password=passphrase if locked else None)
    except ValueError as problem:
        raise (_wrong_passphrase(path, given=True) if locked else _unreadable(path)) from problem


def _stretched(passphrase: bytes, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)


def _suite() -> Suite:
    from cryptography.hazmat.primitives import hpke

    return hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def _raw(text: Mapping[str, object], field: str, where: str) -> bytes:
    try:
        raw = base64.b64decode(str(text[field]), validate=True)
    except (KeyError, ValueError):
        raw = b""
    if len(raw) == 32:
        return raw
    raise Qua3ckError(
        f'The {field} key is not 32 bytes in base64 under "{field}"',
        where=where,
        fix="take the file as the other person's qua3ck wrote it, or restore it: git checkout",
        code="S038",
    )


def _unreadable(path: Path) -> Qua3ckError:
    return Qua3ckError(
        "The key file cannot be read: it is cut off or of another kind",
        where=str(path),
        fix="restore the file from its backup",
        code="S038",
    )


def _wrong_passphrase(path: Path, *, given: bool) -> Qua3ckError:
    return Qua3ckError(
        "The passphrase does not open the key" if given else "The key asks for its passphrase",
        where=str(path),
        fix="export QUA3CK_PASSPHRASE=... with the passphrase the key was made with",
        code="S039",
    )
