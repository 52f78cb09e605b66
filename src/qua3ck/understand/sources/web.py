"""Asking a web server so that rows are neither lost nor asked for without end.

Tried again: 408, 425, 429, 5xx, resets, time-outs, bodies that end early. Never tried again:
all that will be refused the second time too (401, 403, 404, 409 ...). Credentials go to the
declared server only, over TLS; an answer is taken whole or not at all.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.understand.section import Source
from qua3ck.understand.sources.credentials import Hidden, from_environment
from qua3ck.understand.sources.patience import GivenUp, Passing, Patience

if TYPE_CHECKING:
    import httpx

MOST = 1 << 28  # bytes of one page after decompression
_BLOWN = 200  # times as many bytes after decompression as before: no data, a bomb
_SMALL = 1 << 26  # bytes up to which that ratio does not matter
_HOPS = 5
_AGAIN = {408, 425, 429}
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy")  # write URLs
_LOCAL = {"127.0.0.1", "::1", "localhost"}
_CODE_OF_FIELD = re.compile(r"E\d{3,5}")  # DHIS2 names its conflicts so


@dataclass(frozen=True)
class Asked:
    """One request without its secrets; equal requests are the same request."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back, whole.

    Attributes
    ----------
    url : str
        Where it came from in the end, without secrets.
    status : int
        200 to 299, or 304.
    headers : mapping
        Names in lower case.
    body : bytes
        Content coding undone; empty where it was written to a file.
    next_link : str
        The URL of the ``Link`` header with ``rel="next"``, or empty.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    next_link: str = ""


class Web:
    """One declared server, and the way to ask it; used in a ``with`` block.

    Parameters
    ----------
    source : Source
        ``url`` (or ``path``), ``auth``, ``headers``, ``hosts``, ``timeout``.
    place : str
        The source's place in the project file.
    patience : Patience
        Bounds for trying again.
    env : mapping
        Where secrets come from.
    now : callable
        The present moment, for ``Retry-After`` dates of a server that sends no ``Date``.

    Raises
    ------
    Qua3ckError
        If a variable is not set, or credentials would go over a line that anyone can read.
    """

    def __init__(
        self,
        source: Source,
        *,
        place: str,
        patience: Patience,
        env: Mapping[str, str] = os.environ,
        now: Clock = utc_now,
    ) -> None:
        self._httpx: Any = need("httpx", extra="http", what="asking a web server")
        self._place, self._patience, self._now = place, patience, now
        self._at = f"{place}.{'url' if source.url else 'path'}"
        self._timeout = source.timeout
        declared = source.url or source.path or ""
        self._shows_path = not declared.startswith("env:")
        self.url, self._user, secret = _taken_apart(declared, at=self._at, env=env)
        self._own = _origin(self.url)
        self._hosts = {host.lower() for host in source.hosts}
        self._sent = {
            name: from_environment(value, place=f"{place}.headers.{name}", env=env)
            for name, value in source.headers.items()
        }
        self._variables = sorted(_variables(source))
        self._basic: tuple[str, str] | None = None
        self._secret_parameters = {**secret, **self._credentials(source, env)}
        self.hidden = Hidden(self._secret_parameters)
        _refuse_letters(self._sent, place=place)
        self._refuse_open_line(source)
        self._client: httpx.Client | None = None

    def __enter__(self) -> Web:
        """Open the connection pool; proxies come from the environment, as everywhere."""
        self._client = self._httpx.Client(
            verify=_authorities(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            headers={"accept-encoding": "gzip, deflate", "user-agent": "qua3ck"},
        )
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self.hidden)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self.hidden)
        if self._client is not None:
            self._client.close()

    def ask(self, asked: Asked) -> Answer:
        """Return one answer, its body in memory and without our secrets in it.

        Raises
        ------
        Qua3ckError
            If the server refuses, is not to be had within the bounds, or answers with more
            than ``MOST`` bytes.
        """

        def attempt(left: float) -> Answer:
            parts: list[bytes] = []
            answer = self._once(asked, {}, parts.append, left, most=MOST)
            body = b"".join(parts)
            _refuse_cut_off(answer, body)
            return Answer(
                answer.url,
                answer.status,
                answer.headers,
                self.hidden.in_bytes(body),
                answer.next_link,
            )

        return self._patiently(attempt)

    def download(self, to: Path, *, known: str = "") -> Answer:
        """Write the declared URL's bytes to a file, or nothing if the server has no others.

        Parameters
        ----------
        to : Path
            Written anew with each try.
        known : str
            The ``ETag`` of the bytes already there; the answer's status is 304 if it holds.
        """

        def attempt(left: float) -> Answer:
            headers = {"if-none-match": known} if known else {}
            handle: BinaryIO
            with to.open("wb") as handle:
                return self._once(
                    Asked(self.url), headers, lambda part: _write(handle, part), left, most=None
                )

        return self._patiently(attempt)

    def within(self, url: str, *, of: str) -> str:
        """Return a URL that an answer leads to, absolute and without secrets.

        Raises
        ------
        Qua3ckError
            If it leads to a server that is not declared.
        """
        absolute = urllib.parse.urljoin(of, url)
        scheme, host, _ = _origin(absolute)
        if (scheme, host) == ("http", self._own[1]) and self._own[0] == "https":
            parts = urllib.parse.urlsplit(absolute)  # a proxy in front of it undoes TLS
            absolute = urllib.parse.urlunsplit(parts._replace(scheme="https"))
        if not self._allowed(absolute):
            raise Qua3ckError(
                f'{self._shown(of)} leads to another server: "{host or scheme}"',
                where=self._at,
                fix=f'if that is right, declare it: hosts: ["{host}"] (no credentials go there)',
                code="U142",
            )
        return self.hidden.in_url(absolute)

    def _patiently(self, attempt: Any) -> Answer:
        try:
            answer: Answer = self._patience.last(attempt)
        except GivenUp as problem:
            asked = f"; it asks to wait {problem.wait:.0f} s" if problem.wait else ""
            raise Qua3ckError(
                f"{self._shown(self.url)} gave no whole answer in {problem.says}{asked}",
                where=self._at,
                fix="run the same command again later; it goes on where it stopped",
                code="U136",
            ) from None
        return answer

    def _once(
        self, asked: Asked, headers: Mapping[str, str], keep: Any, left: float, *, most: int | None
    ) -> Answer:
        """Ask once, following the redirects that are allowed; hand on the body in parts."""
        url, parameters = asked.url, dict(asked.parameters)
        ends = self._patience.clock() + left
        for _ in range(_HOPS):
            with self._stream(url, parameters, headers, left) as response:
                if response.has_redirect_location:
                    to = response.headers.get("location", "")
                    url, parameters = self.within(to, of=url), {}
                    continue
                self._judge(response, url, asked_if=bool(headers))
                self._read(response, keep, ends, most=most)
                return Answer(
                    self.hidden.in_url(str(response.url)),
                    response.status_code,
                    dict(response.headers),
                    next_link=response.links.get("next", {}).get("url", ""),
                )
        raise Qua3ckError(
            f"{self._shown(self.url)} redirects more than {_HOPS} times",
            where=self._at,
            fix="write the URL it leads to in the end",
            code="U142",
        )

    @contextmanager
    def _stream(
        self, url: str, parameters: dict[str, str], headers: Mapping[str, str], left: float
    ) -> Iterator[httpx.Response]:
        """Open one request; failures of the line become :class:`Passing`."""
        if self._client is None:
            message = "the connection is used outside of its with block"
            raise RuntimeError(message)
        httpx, own = self._httpx, _origin(url) == self._own
        seconds = max(0.01, min(self._timeout, left))
        try:
            # Parameters given separately would replace those of the URL.
            request = self._client.build_request(
                "GET",
                _with_parameters(url, {**parameters, **(self._secret_parameters if own else {})}),
                headers={**headers, **(self._sent if own else {})},
                timeout=httpx.Timeout(seconds),
            )
            auth = httpx.BasicAuth(*self._basic) if own and self._basic else None
            response = self._client.send(request, auth=auth, stream=True)
        except httpx.HTTPError as problem:
            raise self._of_the_line(problem) from None
        except httpx.InvalidURL:
            raise self._no_url() from None
        try:
            yield response
        except httpx.HTTPError as problem:
            raise self._of_the_line(problem) from None
        finally:
            response.close()

    def _read(self, response: httpx.Response, keep: Any, ends: float, *, most: int | None) -> None:
        came = 0
        for part in response.iter_bytes(1 << 16):
            came += len(part)
            blown = came > _SMALL and came > _BLOWN * max(1, response.num_bytes_downloaded)
            if blown or (most is not None and came > most):
                raise Qua3ckError(
                    f"{self._shown(self.url)} answers with more than {came - 1:,} bytes at once",
                    where=self._at,
                    fix="ask for smaller pages: paging: {size: ..., size_parameter: ...}",
                    code="U140",
                )
            if self._patience.clock() > ends:
                raise Passing("slow body")
            keep(part)

    def _judge(self, response: httpx.Response, url: str, *, asked_if: bool) -> None:
        """Return if the answer is one; raise what its status means otherwise."""
        status = response.status_code
        if 200 <= status < 300 or (status == 304 and asked_if):
            return
        if status in _AGAIN or status >= 500:
            raise Passing(f"status {status}", wait=self._wait(response))
        raise _refusal(
            status,
            self._shown(url),
            at=self._at,
            auth=f"{self._place}.auth",
            variables=self._variables,
            said=_error_code(response),
        )

    def _wait(self, response: httpx.Response) -> float | None:
        """Return the seconds of a ``Retry-After`` header, in either of its forms."""
        said = response.headers.get("retry-after", "").strip()
        if said.isdecimal():
            return float(said)
        moment = _moment(said)
        if moment is None:
            return None
        # The server's own clock, if it tells: ours may be wrong by hours.
        now = _moment(response.headers.get("date", "")) or self._now()
        return max(0.0, (moment - now).total_seconds())

    def _of_the_line(self, problem: Exception) -> Exception:
        httpx = self._httpx
        if isinstance(problem, httpx.TimeoutException):
            return Passing("time-out")
        if isinstance(problem, httpx.UnsupportedProtocol | httpx.InvalidURL):
            return self._no_url()
        if _is_certificate(problem):
            return Qua3ckError(
                f"The certificate of {self._shown(self.url)} cannot be verified",
                where=self._at,
                fix="correct the host's name; for an authority of your own: "
                "export SSL_CERT_FILE=authority.pem",
                code="U142",
            )
        if isinstance(problem, httpx.RemoteProtocolError):
            return Passing("body that ended early")
        if isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout):
            return Passing("no connection")
        if isinstance(problem, httpx.DecodingError):
            return Passing("damaged body")
        return Passing("connection lost")

    def _no_url(self) -> Qua3ckError:
        return Qua3ckError(
            "The URL cannot be asked",
            where=self._at,
            fix="write it whole: https://server/path",
            code="U142",
        )

    def _allowed(self, url: str) -> bool:
        scheme, host, _ = origin = _origin(url)
        if origin == self._own:
            return True
        return host in self._hosts and (scheme == "https" or host in _LOCAL)

    def _credentials(self, source: Source, env: Mapping[str, str]) -> dict[str, str]:
        """Set what goes into headers; return what goes into the URL."""
        auth, place = source.auth, f"{self._place}.auth"
        if auth is None:
            self._basic = self._user
            return {}
        if auth.password is not None:
            user = from_environment(auth.user or "", place=f"{place}.user", env=env)
            password = from_environment(auth.password, place=f"{place}.password", env=env)
            self._basic = (user, password)
            return {}
        token = from_environment(auth.token or "", place=f"{place}.token", env=env)
        if auth.parameter is not None:
            return {auth.parameter: token}
        name = auth.header or "Authorization"
        self._sent[name] = token if auth.header else f"{auth.prefix} {token}"
        return {}

    def _refuse_open_line(self, source: Source) -> None:
        secret = source.auth or self._basic or self._variables or self._secret_parameters
        scheme, host, _ = self._own
        if scheme == "https" or (scheme == "http" and (host in _LOCAL or not secret)):
            return
        raise Qua3ckError(
            f'"{scheme}://" to {host or "nowhere"}'
            + (": anyone on the way could read the credentials" if scheme == "http" else ""),
            where=self._at,
            fix="write https://",
            code="U142",
        )

    def _shown(self, url: str) -> str:
        """Return host and path, or the host alone where the path may be secret; no query."""
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        host += f":{parts.port}" if parts.port else ""
        return host + parts.path if self._shows_path else host


@cache
def _authorities(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return who is trusted to certify servers; read once, as it takes a while."""
    import httpx

    del file, folder  # httpx reads them itself; another value is another context
    return httpx.create_ssl_context()


def _taken_apart(
    declared: str, *, at: str, env: Mapping[str, str]
) -> tuple[str, tuple[str, str] | None, dict[str, str]]:
    """Return the URL without secrets, user and password in it, and its secret parameters."""
    url = from_environment(declared, place=at, env=env)
    parts = urllib.parse.urlsplit(url)
    user = None
    if parts.username is not None:
        unquote = urllib.parse.unquote
        user = (unquote(parts.username), unquote(parts.password or ""))
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    secret: dict[str, str] = {}
    if declared.startswith("env:") and parts.query:  # such as a signed URL
        secret = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        parts = parts._replace(query="")
    return urllib.parse.urlunsplit(parts), user, secret


def _variables(source: Source) -> set[str]:
    """Return the names of the variables that credentials come from."""
    auth = source.auth
    values = [*source.headers.values()]
    values += [auth.user or "", auth.password or "", auth.token or ""] if auth else []
    return {value.removeprefix("env:") for value in values if value.startswith("env:")}


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", "", None)
    return (parts.scheme, (parts.hostname or "").lower(), port)


def _with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    if not parameters:
        return url
    parts = urllib.parse.urlsplit(url)
    added = urllib.parse.urlencode(parameters)
    return urllib.parse.urlunsplit(
        parts._replace(query="&".join(filter(None, (parts.query, added))))
    )


def _refuse_letters(headers: Mapping[str, str], *, place: str) -> None:
    for name, value in headers.items():
        if not (name + value).isascii():
            raise Qua3ckError(
                f"The header {name} holds letters that a header cannot carry",
                where=f"{place}.auth" if name == "Authorization" else f"{place}.headers",
                fix="look at the variable it comes from, and set it again",
                code="U135",
            )


def _write(handle: BinaryIO, part: bytes) -> None:
    handle.write(part)


def _refuse_cut_off(answer: Answer, body: bytes) -> None:
    """Raise if a body of undeclared length is JSON that ends early: the line broke."""
    declared = "content-length" in answer.headers or "transfer-encoding" in answer.headers
    if declared or "json" not in answer.headers.get("content-type", ""):
        return
    try:
        json.loads(body)
    except ValueError:
        raise Passing("body that ended early") from None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _is_certificate(problem: BaseException) -> bool:
    seen: BaseException | None = problem
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _error_code(response: httpx.Response) -> str:
    """Return the error code that an answer names; its text is not shown, it may quote rows."""
    said = b""
    try:
        for part in response.iter_bytes(1 << 14):
            said += part
            if len(said) > 1 << 16:
                return ""
        content = json.loads(said)
        code = content.get("errorCode") if isinstance(content, dict) else None
    except (ValueError, RuntimeError):
        return ""
    return code if isinstance(code, str) and _CODE_OF_FIELD.fullmatch(code) else ""


def _refusal(
    status: int, shown: str, *, at: str, auth: str, variables: list[str], said: str
) -> Qua3ckError:
    names = " and ".join(variables)
    what, fix, code = {
        401: (
            "does not accept the credentials; a token may have expired",
            f"get new ones and set {names}" if names else "declare auth: (see qua3ck explain U137)",
            "U137",
        ),
        403: (
            "does not let this user read that",
            "ask its administrator for the right to read, or use another account"
            + (f" ({names})" if names else ""),
            "U137",
        ),
        404: ("has nothing there", "correct url:; also the page's parameters", "U138"),
        410: ("has nothing there any more", "ask for its new place", "U138"),
    }.get(
        status,
        ("does not understand the question", "look at url: and parameters: in its manual", "U139"),
    )
    noted = f", {said}" if said else ""
    where = auth if code == "U137" else at
    return Qua3ckError(f"{shown} {what} (status {status}{noted})", where=where, fix=fix, code=code)
