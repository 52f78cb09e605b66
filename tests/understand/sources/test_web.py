from __future__ import annotations

import gzip
import json
import ssl
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from standin import Reply, as_json, by_link, by_next

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources import web as module
from qua3ck.understand.sources.patience import Patience
from qua3ck.understand.sources.rest import fetch_http
from qua3ck.understand.sources.web import Asked, Web

ROWS = [{"id": i} for i in range(30)]
QUICK = Patience(tries=1, sleep=lambda _: None)


def web_of(url: str, *, env=None, patience=QUICK, **declared) -> Web:
    source = Source.model_validate_json(
        json.dumps({"kind": "http", "url": url, "timeout": 2.0, **declared})
    )
    return Web(source, place="understand.sources.rows", patience=patience, env=env or {})


def ask(url: str, **declared):
    with web_of(url, **declared) as web:
        return web.ask(Asked(web.url))


def fetched(tmp_path, url: str, *, env=None, **declared):
    source = Source.model_validate_json(json.dumps({"kind": "http", "url": url, **declared}))
    fetch = fetch_http(
        "rows", source, tmp_path, since=None, into=tmp_path / "s", place="p", patience=QUICK,
        env=env or {},
    )  # fmt: skip
    return [piece.path.read_bytes() for piece in fetch]


def test_a_redirect_within_the_server_is_followed_with_credentials(serve):
    def answer(seen):
        if seen.path == "/old":
            return Reply(302, b"", {"location": "/new?a=1"})
        return as_json({"path": seen.path})

    server = serve(answer)
    env = {"T": "tok"}
    got = ask(server.url + "/old", auth={"token": "env:T", "parameter": "key"}, env=env)
    assert json.loads(got.body) == {"path": "/new"}
    assert got.url == server.url + "/new?a=1"
    assert server.seen[-1].query == {"a": "1", "key": "tok"}


@pytest.mark.parametrize("auth", [{"token": "env:T"}, {"token": "env:T", "parameter": "key"}])
def test_credentials_never_go_to_another_server(serve, auth):
    other = serve(lambda _: as_json([{"a": 1}]))
    elsewhere = other.url.replace("127.0.0.1", "localhost") + "/there"
    server = serve(lambda _: Reply(302, b"", {"location": elsewhere}))
    with pytest.raises(Qua3ckError, match='another server: "localhost"') as told:
        ask(server.url, auth=auth, env={"T": "tok"})
    assert told.value.code == "U142"
    assert 'hosts: ["localhost"]' in told.value.fix
    assert other.seen == []
    ask(server.url, auth=auth, env={"T": "tok"}, hosts=["localhost"])
    assert "authorization" not in other.seen[0].headers
    assert other.seen[0].query == {}


def test_another_port_is_another_server(serve):
    other = serve(lambda _: as_json([]))
    server = serve(lambda _: Reply(301, b"", {"location": other.url}))
    with pytest.raises(Qua3ckError, match="another server"):
        ask(server.url)
    assert other.seen == []


@pytest.mark.parametrize("style", ["next", "link"])
def test_a_next_page_on_another_server_is_refused(serve, tmp_path, style):
    def answer(seen):
        del seen
        link = {"link": '<https://evil.example/rows>; rel="next"'}
        return as_json({"results": ROWS, "next": "https://evil.example/rows"}, **link)

    paging = {"style": style, **({"next": "next"} if style == "next" else {})}
    with pytest.raises(Qua3ckError, match=r'another server: "evil\.example"') as told:
        fetched(tmp_path, serve(answer).url, records="results", paging=paging)
    assert told.value.code == "U142"


def test_redirects_without_end_end(serve):
    server = serve(lambda seen: Reply(302, b"", {"location": seen.path + "x"}))
    with pytest.raises(Qua3ckError, match="more than 5 times"):
        ask(server.url + "/")
    assert len(server.seen) == 5


@pytest.mark.parametrize(
    ("url", "declared", "env"),
    [
        ("http://field.example/api", {"auth": {"token": "env:T"}}, {"T": "tok"}),
        ("http://field.example/api", {"headers": {"X-User": "env:T"}}, {"T": "tok"}),
        ("env:U", {}, {"U": "http://ana:geheim@field.example/api"}),
        ("env:U", {}, {"U": "http://field.example/api?sig=geheim"}),
        ("ftp://field.example/api", {}, {}),
        ("field.example/api", {}, {}),
    ],
)
def test_no_credentials_over_a_line_that_anyone_can_read(url, declared, env):
    with pytest.raises(Qua3ckError, match="//") as told:
        web_of(url, env=env, **declared)
    assert told.value.code == "U142"
    assert "geheim" not in str(told.value)


def test_a_signed_url_comes_from_the_environment_and_is_not_shown(serve):
    server = serve(lambda _: Reply(403))
    env = {"U": server.url + "/secret-path?sig=geheim&se=2026"}
    with pytest.raises(Qua3ckError) as told:
        ask("env:U", env=env)
    assert server.seen[0].query == {"sig": "geheim", "se": "2026"}
    assert "geheim" not in str(told.value)
    assert "secret-path" not in str(told.value)


def test_a_password_in_the_url_of_the_environment_is_sent_as_basic(serve):
    server = serve(lambda _: as_json([]))
    ask("env:U", env={"U": server.url.replace("//", "//ana:p%40ss@") + "/x"})
    assert server.seen[0].headers["authorization"] == "Basic YW5hOnBAc3M="


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(serve, tmp_path):
    server = serve(lambda _: as_json([]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    slept: list[float] = []
    with pytest.raises(Qua3ckError, match=r"certificate of 127\.0\.0\.1:[0-9]+ cannot") as told:
        ask(server.url.replace("http:", "https:"), patience=Patience(sleep=slept.append))
    assert told.value.code == "U142"
    assert slept == []


def own_certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_gzip_answer_is_unpacked_and_its_bytes_kept(serve, tmp_path):
    body = b'[{"id": "007"}]'
    zipped = Reply(
        200, gzip.compress(body), {"content-encoding": "gzip", "content-type": "application/json"}
    )
    assert fetched(tmp_path, serve(lambda _: zipped).url) == [body]


def test_a_decompression_bomb_is_put_down(serve, monkeypatch):
    monkeypatch.setattr(module, "_SMALL", 1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b"[" + b" " * (64 << 20)) + packer.flush()
    assert len(bomb) < 100_000
    server = serve(lambda _: Reply(200, bomb, {"content-encoding": "gzip"}))
    with pytest.raises(Qua3ckError, match="bytes at once") as told:
        ask(server.url)
    assert told.value.code == "U140"
    assert int(told.value.what.split("more than ")[1].split(" ")[0].replace(",", "")) < 16 << 20


def test_a_page_has_an_upper_size(serve, monkeypatch):
    monkeypatch.setattr(module, "MOST", 1000)
    server = serve(lambda _: as_json(b"[" + b"1," * 600 + b"1]"))
    with pytest.raises(Qua3ckError, match="at once"):
        ask(server.url)


def test_a_body_that_drips_forever_ends(serve):
    seconds = iter(range(0, 10_000, 100))
    server = serve(lambda _: as_json(b"[" + b"1," * 500_000 + b"1]"))
    drips = Patience(tries=2, clock=lambda: next(seconds), sleep=lambda _: None)
    with pytest.raises(Qua3ckError, match="slow body"):
        ask(server.url, patience=drips)


def test_a_server_that_is_not_there_is_named_without_the_query():
    with pytest.raises(
        Qua3ckError, match=r"127.0.0.1:9/rows gave no whole .* no connection"
    ) as told:
        ask("http://127.0.0.1:9/rows?a=Ada")
    assert told.value.code == "U136"
    assert "Ada" not in str(told.value)


def test_a_next_url_that_lost_its_tls_behind_a_proxy_gets_it_back():
    web = web_of("https://field.example/api", auth={"token": "env:T"}, env={"T": "x"})
    of = "https://field.example/api?page=1"
    assert (
        web.within("http://field.example/api?page=2", of=of) == "https://field.example/api?page=2"
    )
    assert web.within("?page=2", of=of) == "https://field.example/api?page=2"


def test_parameters_of_the_url_stay_beside_those_declared(serve, tmp_path):
    server = serve(by_link(ROWS, size=100))
    fetched(tmp_path, server.url + "/a?fields=id,name&x=1", parameters={"x2": "a b"})
    assert server.seen[0].query == {"fields": "id,name", "x": "1", "x2": "a b"}


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(Qua3ckError) as told:
        web_of("https://field.example/")
    assert told.value.fix == 'python -m pip install "qua3ck[http]"'


def test_the_token_expires_between_two_pages_and_the_rest_comes_with_a_new_one(serve, tmp_path):
    server = serve(by_next(ROWS, size=10))
    server.faults.extend([None, None, Reply(401)])
    declared = {
        "records": "results",
        "paging": {"style": "next", "next": "next"},
        "auth": {"token": "env:T"},
    }
    with pytest.raises(Qua3ckError, match="401"):
        fetched(tmp_path, server.url, env={"T": "old"}, **declared)
    bodies = fetched(tmp_path, server.url, env={"T": "new"}, **declared)
    assert [row for body in bodies for row in json.loads(body)["results"]] == ROWS
    assert [seen.headers["authorization"] for seen in server.seen].count("Bearer new") == 1
