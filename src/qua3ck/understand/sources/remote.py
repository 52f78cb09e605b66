"""Files that lie elsewhere: https://, s3://, az://; brought here when they are new or changed.

Whether a file changed is told by the store's own version of it (ETag and size), never by its
time. A file that changes while it is copied is copied again. What comes from the web has a
licence and either a SHA-256 or the declaration that its bytes may change.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.extras import need
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.section import Source
from qua3ck.understand.sources.fetching import (
    Fetch,
    Journal,
    Position,
    Tell,
    question,
    started_from,
)
from qua3ck.understand.sources.patience import GivenUp, Passing, Patience
from qua3ck.understand.sources.pieces import Piece
from qua3ck.understand.sources.web import Web

_PATTERN = re.compile(r"[*?\[]")
_PINNED = "sha256:"
_TAGGED = "etag:"
_CHANGED = "changed while it was copied"
_LOCAL = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Lying:
    """A file in a store.

    Attributes
    ----------
    name : str
        The piece's name: its path below the last folder that the pattern fixes.
    path : str
        As the store has it.
    version : str
        The store's version of its bytes; empty if it tells none, then it is always copied.
    size : int
        Bytes.
    """

    name: str
    path: str
    version: str
    size: int


def fetch_remote(
    name: str,
    source: Source,
    root: Path,
    *,
    since: Position | None,
    into: Path,
    place: str,
    tell: Tell = lambda _: None,
    patience: Patience | None = None,
    env: Mapping[str, str] = os.environ,
    clock: Clock = utc_now,
) -> Fetch:
    """Bring in the files that a URL or pattern names, for every kind of file.

    Parameters
    ----------
    name, source, root, since, into, place, tell, patience, env, clock
        As for :func:`qua3ck.understand.sources.rest.fetch_http`. Stores take their credentials
        from the environment: ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, or
        ``AZURE_STORAGE_CONNECTION_STRING``, or ``AZURE_STORAGE_ACCOUNT_NAME`` with
        ``_ACCOUNT_KEY`` or ``_SAS_TOKEN``. Without any, they are asked as anybody may.

    Returns
    -------
    Fetch
        Only new and changed files come; ``present`` names all there are.

    Raises
    ------
    Qua3ckError
        While the pieces are taken: if there is no such file, the store refuses or is not to be
        had, or a file is not the one that ``sha256:`` names.
    """
    del root
    start = started_from(source, since)
    asked = _Asked(
        name, source, place, start.objects if start else {}, patience or Patience(), env, clock
    )
    scheme = (source.path or "").partition("://")[0]
    steps = _of_the_web if scheme in {"http", "https"} else _of_a_store
    extract = source.extract or "full"
    return Fetch(lambda fetch: steps(fetch, asked, into, tell), extract=extract)


@dataclass(frozen=True)
class _Asked:
    name: str
    source: Source
    place: str
    known: Mapping[str, str]
    patience: Patience
    env: Mapping[str, str]
    clock: Clock

    def journal(self, into: Path) -> Journal:
        """Return the journal of this question, from these versions on."""
        asked = {"question": question(self.source), "known": dict(self.known)}
        return Journal(into, asked, clock=self.clock)


def _of_the_web(fetch: Fetch, asked: _Asked, into: Path, tell: Tell) -> Iterator[Piece]:
    """Yield the one file of a URL, unless its bytes are here already."""
    source, place = asked.source, asked.place
    parts = urllib.parse.urlsplit(source.path or "")
    if parts.scheme == "http" and parts.hostname not in _LOCAL and not source.sha256:
        raise Qua3ckError(
            "Anyone on the way could exchange a file that comes by http://",
            where=f"{place}.path",
            fix="write https://, or declare its sha256:",
            code="U142",
        )
    name = urllib.parse.unquote(PurePosixPath(parts.path).name) or (parts.hostname or "file")
    fetch.present = frozenset({name})
    known = asked.known.get(name, "")
    pinned = _PINNED + source.sha256.lower() if source.sha256 else ""
    if pinned and known == pinned:
        fetch.after = Position(question(source), objects={name: known})
        return
    journal = asked.journal(into)
    done = {step.state["name"]: step for step in journal.steps}
    if name not in done:
        tell(f"{asked.name}: {name}")
        _take_from_the_web(journal, asked, name, known)
        done = {step.state["name"]: step for step in journal.steps}
    step = done[name]
    fetch.after = Position(question(source), objects={name: step.state["version"]})
    if step.piece:
        yield step.piece


def _take_from_the_web(journal: Journal, asked: _Asked, name: str, known: str) -> None:
    source, place = asked.source, asked.place
    state = {"name": name, "version": known}
    part = journal.folder / "web.part"
    with Web(source, place=place, patience=asked.patience, env=asked.env) as web:
        answer = web.download(part, known=known.removeprefix(_TAGGED))
    if answer.status == 304:
        journal.skip(state)
        return
    if "html" in answer.headers.get("content-type", ""):
        raise Qua3ckError(
            f"{name}: the server answers with an HTML page, such as of a login",
            where=f"{place}.path",
            fix="write the URL of the file itself",
            code="U140",
        )
    digest = _checked(part, source, name, place)
    tag = answer.headers.get("etag", "")
    state["version"] = _PINNED + digest if source.sha256 or not tag else _TAGGED + tag
    journal.take(name, lambda path: _move(part, path), state)


def _of_a_store(fetch: Fetch, asked: _Asked, into: Path, tell: Tell) -> Iterator[Piece]:
    """Yield the new and changed files of a bucket or container."""
    source, place = asked.source, asked.place
    store = _Store(asked)
    there = store.listed()
    if source.sha256 and len(there) > 1:
        raise Qua3ckError(
            f"sha256: names one file, and {len(there)} fit the pattern",
            where=f"{place}.sha256",
            fix="write the path of one file, or leave sha256: out",
            code="U143",
        )
    fetch.present = frozenset(lying.name for lying in there)
    journal = asked.journal(into)
    done = {(s.state["name"], s.state["version"]): s.piece for s in journal.steps}
    versions = {}
    for number, lying in enumerate(there, 1):
        tell(f"{asked.name}: {number} of {len(there)} files")
        if lying.version and asked.known.get(lying.name) == lying.version:
            versions[lying.name] = lying.version
            continue
        piece = done.get((lying.name, lying.version)) if lying.version else None
        if piece is None:
            piece, lying = store.copied(lying, journal)  # noqa: PLW2901 - it may be newer by now
        versions[lying.name] = lying.version
        yield piece
    fetch.after = Position(question(source), objects=versions)


class _Store:
    """A bucket or container; its failures in our words."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._path = asked.source.path or ""
        self._files = _file_system(self._path, asked)

    def listed(self) -> list[Lying]:
        """Return the files that the path names, by name."""
        pattern = bool(_PATTERN.search(self._path))

        def look(left: float) -> list[dict[str, Any]]:
            del left
            self._files.invalidate_cache()
            if not pattern:
                return [self._files.info(self._path)]
            return list(self._files.glob(self._path, detail=True).values())

        try:
            found = self._patiently(look)
        except FileNotFoundError:
            found = []
        files = [one for one in found if one.get("type", "file") == "file"]
        if not files:
            raise self._nothing()
        return sorted((self._lying(one) for one in files), key=lambda lying: lying.name)

    def copied(self, lying: Lying, journal: Journal) -> tuple[Piece, Lying]:
        """Copy a file whole; return its piece, and the version that was copied."""
        state = {"name": lying.name, "version": lying.version}
        newest = lying

        def write(path: Path) -> None:
            nonlocal newest
            newest = self._patiently(lambda _: self._once(lying, path), of=lying.name)
            _checked(path, self._asked.source, lying.name, self._asked.place)
            state["version"] = newest.version  # it may be newer than the list was

        return journal.take(lying.name, write, state), newest

    def _once(self, lying: Lying, path: Path) -> Lying:
        before = self._lying(self._files.info(lying.path))
        path.unlink(missing_ok=True)
        self._files.get_file(lying.path, str(path))
        self._files.invalidate_cache()
        after = self._lying(self._files.info(lying.path))
        if before != after or path.stat().st_size != after.size:
            raise Passing(_CHANGED)
        return after

    def _lying(self, info: Mapping[str, Any]) -> Lying:
        tag = str(info.get("ETag") or info.get("etag") or "").strip('"')
        size, path = int(info.get("size") or 0), str(info["name"])
        return Lying(self._name(path), path, f"{tag}|{size}" if tag else "", size)

    def _name(self, path: str) -> str:
        """Return the path below the last folder that the pattern fixes."""
        fixed = 0
        for part in PurePosixPath(self._path.partition("://")[2]).parts[:-1]:
            if _PATTERN.search(part):
                break
            fixed += 1
        return "/".join(PurePosixPath(path).parts[fixed:]) or path

    def _patiently(self, act: Callable[[float], Any], *, of: str = "") -> Any:
        def attempt(left: float) -> Any:
            try:
                return act(left)
            except FileNotFoundError:
                raise
            except Exception as problem:
                if isinstance(problem, Passing | Qua3ckError):
                    raise
                raise self._in_our_words(problem) from None

        try:
            return self._asked.patience.last(attempt)
        except GivenUp as problem:
            changing = _CHANGED in problem.says
            what = f"{of or self._path} could not be copied in {problem.says}"
            raise Qua3ckError(
                what,
                where=f"{self._asked.place}.path",
                fix="load again when whoever writes it is done"
                if changing
                else "look at the address, and run the same command again; copied files are kept",
                code="U143" if changing else "U136",
            ) from None

    def _in_our_words(self, problem: Exception) -> Exception:
        status = getattr(problem, "status_code", None) or _status(problem)
        kind = type(problem).__name__
        if isinstance(problem, PermissionError) or status in {401, 403} or "Auth" in kind:
            return self._refused("refuses these credentials, or reading with them")
        if "NoCredentials" in kind or "PartialCredentials" in kind:
            return self._refused("wants credentials")
        if status == 404:
            return FileNotFoundError(self._path)
        if isinstance(status, int) and 400 <= status < 500 and status not in {408, 429}:
            return Qua3ckError(
                f"The store does not understand the question (status {status})",
                where=f"{self._asked.place}.path",
                fix="correct the path: s3://bucket/key or az://container/blob",
                code="U139",
            )
        return Passing("store busy" if isinstance(status, int) else "no connection")

    def _refused(self, what: str) -> Qua3ckError:
        azure = self._path.startswith(("az:", "abfs"))
        names = (
            "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"
            if azure
            else "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
        return Qua3ckError(
            f"The store of {self._path} {what}",
            where=f"{self._asked.place}.path",
            fix=f"set {names} to an account that may list and read there",
            code="U137",
        )

    def _nothing(self) -> Qua3ckError:
        folder, _, last = self._path.rpartition("/")
        there: list[str] = []
        if "//" in folder and not _PATTERN.search(folder):
            try:
                found = self._patiently(lambda _: self._files.ls(folder, detail=False))
                there = [PurePosixPath(str(one)).name for one in found]
            except FileNotFoundError:
                there = []
        some = ", ".join(sorted(there)[:8])
        return Qua3ckError(
            f'Nothing at "{self._path}"{did_you_mean(last, there)}',
            where=f"{self._asked.place}.path",
            fix=f"correct it; there is: {some}" if there else "correct bucket and folder",
            code="U138",
        )


def _file_system(path: str, asked: _Asked) -> Any:
    scheme, _, rest = path.partition("://")
    if "@" in rest.split("/")[0] and scheme == "s3":
        raise Qua3ckError(
            "The path of a bucket holds no credentials",
            where=f"{asked.place}.path",
            fix="write s3://bucket/key, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            code="U135",
        )
    if scheme == "s3":
        files: Any = need("s3fs", extra="buckets", what="reading S3 buckets")
        made = files.S3FileSystem(**_amazon(asked.env))
        made.retries = 1  # Patience counts the tries
        return made
    if scheme in {"az", "abfs", "abfss"}:
        files = need("adlfs", extra="buckets", what="reading Azure containers")
        return files.AzureBlobFileSystem(**_azure(asked.env, asked.place))
    known = ("https", "s3", "az", "abfs")
    if scheme in {"sftp", "scp", "ssh", "ftp", "ftps"}:
        raise Qua3ckError(
            f"Files are not fetched by {scheme}://",
            where=f"{asked.place}.path",
            fix="fetch them first, such as: rsync -a USER@HOST:reports/ data/reports/ (or a "
            "folder mounted by sshfs or rclone); then write path: data/reports/*.csv",
            code="U138",
        )
    raise Qua3ckError(
        f'"{scheme}://" is no place that files can be read from{did_you_mean(scheme, known)}',
        where=f"{asked.place}.path",
        fix="use https://, s3:// or az://, or copy the files into the project's folder",
        code="U138",
    )


def _amazon(env: Mapping[str, str]) -> dict[str, Any]:
    """Return how S3 is asked: by keys of the environment, a role, or as anybody may."""
    key = env.get("AWS_ACCESS_KEY_ID")
    roles = ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    options: dict[str, Any] = {
        "anon": not key and not any(env.get(name) for name in roles),
        "endpoint_url": env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL"),
        "use_listings_cache": False,
        "skip_instance_cache": True,
        "config_kwargs": {
            "connect_timeout": 10,
            "read_timeout": 60,
            "retries": {"max_attempts": 1},
        },
    }
    if key:
        options["key"], options["secret"] = key, env.get("AWS_SECRET_ACCESS_KEY", "")
        options["token"] = env.get("AWS_SESSION_TOKEN")
    return options


def _azure(env: Mapping[str, str], place: str) -> dict[str, Any]:
    named = {
        "connection_string": env.get("AZURE_STORAGE_CONNECTION_STRING"),
        "account_name": env.get("AZURE_STORAGE_ACCOUNT_NAME"),
        "account_key": env.get("AZURE_STORAGE_ACCOUNT_KEY"),
        "sas_token": env.get("AZURE_STORAGE_SAS_TOKEN"),
    }
    options: dict[str, Any] = {name: value for name, value in named.items() if value}
    if not options:
        raise Qua3ckError(
            "Which Azure account is meant is not said",
            where=f"{place}.path",
            fix="set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY if it is not public",
            code="U135",
        )
    secret = "account_key" in options or "sas_token" in options or "connection_string" in options
    identity = env.get("AZURE_CLIENT_ID") or env.get("AZURE_FEDERATED_TOKEN_FILE")
    return {
        **options,
        "anon": not secret and not identity,
        "use_listings_cache": False,
        "skip_instance_cache": True,
    }


def _status(problem: Exception) -> int | None:
    """Return the HTTP status that a failure of botocore carries, also through s3fs."""
    seen: BaseException | None = problem
    while seen is not None:
        answer = getattr(seen, "response", None)
        if isinstance(answer, Mapping):
            status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return status if isinstance(status, int) else None
        seen = seen.__cause__ or seen.__context__
    return None


def _checked(path: Path, source: Source, name: str, place: str) -> str:
    """Return the file's SHA-256; raise if another is declared."""
    digest = file_digest(path)
    if source.sha256 and digest != source.sha256.lower():
        raise Qua3ckError(
            f"{name} is not the file that is meant: its SHA-256 is {digest}",
            where=f"{place}.sha256",
            fix="ask its publisher what changed; if it is the file you want, write that SHA-256",
            code="U143",
        )
    return digest


def _move(part: Path, path: Path) -> None:
    part.replace(path)
