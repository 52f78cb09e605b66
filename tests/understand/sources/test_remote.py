from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from standin import Reply, Seen

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.patience import Patience
from qua3ck.understand.sources.remote import fetch_remote

ROOT = Path(__file__).parents[3]
AZURITE = ROOT / "build" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
# Microsoft prints name and key of the emulator in its manual.
EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLl"
    "mEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
)


class Killed(BaseException):
    """Stands for the moment at which a process is gone."""


def fetch(tmp_path, path: str, *, kind="csv", since=None, env=None, tell=None, **declared):
    source = Source.model_validate_json(
        json.dumps({"kind": kind, "path": path, "licence": "CC0", **declared})
    )
    return fetch_remote(
        "stock",
        source,
        tmp_path,
        since=since,
        into=tmp_path / "scratch",
        place="understand.sources.stock",
        tell=tell or (lambda _: None),
        patience=Patience(tries=3, sleep=lambda _: None),
        env=env or {},
    )


def brought(fetch) -> dict[str, bytes]:
    return {piece.name: piece.path.read_bytes() for piece in fetch}


def forget(tmp_path):
    """Do what the loader does after a commit."""
    shutil.rmtree(tmp_path / "scratch")


# A file from the web


BODY = b"id,name\n007,NA\n"
SUM = hashlib.sha256(BODY).hexdigest()


def tagged(seen: Seen) -> Reply:
    if seen.headers.get("if-none-match") == '"v1"':
        return Reply(304)
    return Reply(200, BODY, {"etag": '"v1"', "content-type": "text/csv"})


def test_a_pinned_file_is_fetched_once(serve, tmp_path):
    server = serve(tagged)
    path = server.url + "/data/stock%20list.csv?year=2024"
    first = fetch(tmp_path, path, sha256=SUM.upper())
    assert brought(first) == {"stock list.csv": BODY}
    forget(tmp_path)
    second = fetch(tmp_path, path, sha256=SUM.upper(), since=first.after)
    assert brought(second) == {}
    assert second.present == {"stock list.csv"}
    assert second.after == first.after
    assert len(server.seen) == 1


def test_a_file_that_may_change_is_asked_for_each_time_and_sent_when_new(serve, tmp_path):
    server = serve(tagged)
    path = server.url + "/stock.csv"
    first = fetch(tmp_path, path, extract="full")
    assert brought(first) == {"stock.csv": BODY}
    forget(tmp_path)
    second = fetch(tmp_path, path, extract="full", since=first.after)
    assert brought(second) == {}
    assert second.present == {"stock.csv"}
    forget(tmp_path)
    server.script = lambda _: Reply(200, BODY + b"008,CH\n", {"etag": '"v2"'})
    third = fetch(tmp_path, path, extract="full", since=second.after)
    assert brought(third) == {"stock.csv": BODY + b"008,CH\n"}
    assert len(server.seen) == 3


def test_a_file_without_a_version_of_the_server_is_sent_each_time(serve, tmp_path):
    server = serve(lambda _: Reply(200, BODY))
    first = fetch(tmp_path, server.url + "/s.csv", extract="full")
    assert len(brought(first)) == 1
    forget(tmp_path)
    assert (
        len(brought(fetch(tmp_path, server.url + "/s.csv", extract="full", since=first.after))) == 1
    )


def test_other_bytes_than_those_pinned_are_not_loaded(serve, tmp_path):
    server = serve(lambda _: Reply(200, BODY + b" "))
    with pytest.raises(Qua3ckError, match="not the file that is meant") as told:
        brought(fetch(tmp_path, server.url + "/stock.csv", sha256=SUM))
    assert told.value.code == "U143"
    assert hashlib.sha256(BODY + b" ").hexdigest() in told.value.what
    server.script = tagged
    assert brought(fetch(tmp_path, server.url + "/stock.csv", sha256=SUM)) == {"stock.csv": BODY}


@pytest.mark.parametrize("how", ["cut", "reset"])
def test_a_download_that_breaks_off_is_begun_anew(serve, tmp_path, how):
    server = serve(tagged)
    server.faults.extend([Reply(200, BODY * 99, how=how), Reply(503), None])
    assert brought(fetch(tmp_path, server.url + "/stock.csv", sha256=SUM)) == {"stock.csv": BODY}


def test_a_packed_file_stays_packed(serve, tmp_path):
    packed = gzip.compress(BODY, mtime=0)
    server = serve(lambda _: Reply(200, packed, {"content-type": "application/gzip"}))
    assert brought(fetch(tmp_path, server.url + "/s.csv.gz", extract="full")) == {
        "s.csv.gz": packed
    }


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, b"<html>", {"content-type": "text/html; charset=utf-8"}), "U140"),
        (Reply(404), "U138"),
        (Reply(403), "U137"),
        (Reply(500), "U136"),
        (Reply(302, b"", {"location": "https://elsewhere.example/s.csv"}), "U142"),
    ],
)
def test_what_is_no_file_is_told(serve, tmp_path, reply, code):
    with pytest.raises(Qua3ckError) as told:
        brought(fetch(tmp_path, serve(lambda _: reply).url + "/s.csv", extract="full"))
    assert told.value.code == code
    assert told.value.where.startswith("understand.sources.stock.")
    assert ".url" not in told.value.where


def test_a_redirect_to_declared_storage_is_followed(serve, tmp_path):
    storage = serve(tagged)
    there = storage.url.replace("127.0.0.1", "localhost") + "/x?sig=temporary"
    portal = serve(lambda _: Reply(302, b"", {"location": there}))
    got = fetch(tmp_path, portal.url + "/stock.csv", sha256=SUM, hosts=["localhost"])
    assert brought(got) == {"stock.csv": BODY}


def test_an_unpinned_file_by_http_is_refused(tmp_path):
    with pytest.raises(Qua3ckError, match="could exchange a file") as told:
        brought(fetch(tmp_path, "http://data.example/s.csv", extract="full"))
    assert told.value.code == "U142"


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"licence": ""}, "needs licence"),
        ({}, "needs sha256"),
        ({"path": "https://ana:geheim@data.example/s.csv", "sha256": SUM}, "holds a secret"),
        ({"path": "https://data.example/s.csv?sig=geheim", "sha256": SUM}, "holds a secret"),
    ],
)
def test_a_file_from_the_web_needs_licence_and_checksum_and_no_secret(declared, says):
    made = {"kind": "csv", "path": "https://data.example/s.csv", "licence": "CC0", **declared}
    with pytest.raises(ValueError, match=says):
        Source.model_validate_json(json.dumps(made))


def test_another_place_is_refused(tmp_path):
    with pytest.raises(Qua3ckError, match='"gopher://" is no place') as told:
        brought(fetch(tmp_path, "gopher://data.example/s.csv"))
    assert told.value.code == "U138"


@pytest.mark.parametrize("scheme", ["sftp", "ftp"])
def test_what_is_not_spoken_here_says_how_to_get_the_files_all_the_same(tmp_path, scheme):
    with pytest.raises(Qua3ckError, match=f"not fetched by {scheme}://") as told:
        brought(fetch(tmp_path, f"{scheme}://data.example/s.csv"))
    assert "rsync -a USER@HOST" in told.value.fix


# Buckets and containers


@dataclass
class Store:
    """A real store with something in it; ``files`` is its own client's file system."""

    scheme: str
    env: dict[str, str]
    files: Any

    def put(self, **content: bytes) -> None:
        for name, body in content.items():
            self.files.pipe_file(f"supply/{name.replace('__', '/')}.csv", body)


@pytest.fixture(scope="module")
def moto():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def amazon(moto):
    import s3fs

    env = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "geheim-schluessel",
        "AWS_ENDPOINT_URL": moto,
    }
    files = s3fs.S3FileSystem(
        key="testing", secret="x", endpoint_url=moto, skip_instance_cache=True,
        use_listings_cache=False,
    )  # fmt: skip
    files.mkdir("supply")
    yield Store("s3", env, files)
    files.rm("supply", recursive=True)


@pytest.fixture(scope="module")
def azurite():
    program = os.environ.get("QUA3CK_TEST_AZURITE") or str(AZURITE)
    if not Path(program).exists() or not shutil.which("node"):
        pytest.skip("Azurite is not here: npm install --prefix build/azurite azurite@3.35.0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--skipApiVersionCheck"]
    server = subprocess.Popen(
        [program, *words, "--inMemoryPersistence", "--disableTelemetry"],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in server.stdout:
        if "successfully listen" in line:
            break
    yield EMULATOR.format(port=port)
    server.terminate()
    server.communicate(timeout=10)


@pytest.fixture
def azure(azurite):
    import adlfs

    files = adlfs.AzureBlobFileSystem(
        connection_string=azurite, skip_instance_cache=True, use_listings_cache=False
    )
    files.mkdir("supply")
    yield Store("az", {"AZURE_STORAGE_CONNECTION_STRING": azurite}, files)
    files.rm("supply", recursive=True)


@pytest.fixture(params=["amazon", "azure"])
def store(request):
    return request.getfixturevalue(request.param)


def test_only_new_and_changed_files_come(store, tmp_path):
    store.put(stock_a=b"a,1\n", stock_b=b"b,1\n", other=b"o,1\n", sub__stock_c=b"c,1\n")
    path = f"{store.scheme}://supply/stock*.csv"
    first = fetch(tmp_path, path, env=store.env)
    assert brought(first) == {"stock_a.csv": b"a,1\n", "stock_b.csv": b"b,1\n"}
    assert first.present == {"stock_a.csv", "stock_b.csv"}
    forget(tmp_path)
    again = fetch(tmp_path, path, env=store.env, since=first.after)
    assert brought(again) == {}
    assert again.present == first.present
    assert again.after == first.after
    forget(tmp_path)
    store.put(stock_b=b"b,2\n", stock_d=b"d,1\n")  # of the same size as before
    store.files.rm("supply/stock_a.csv")
    third = fetch(tmp_path, path, env=store.env, since=again.after)
    assert brought(third) == {"stock_b.csv": b"b,2\n", "stock_d.csv": b"d,1\n"}
    assert third.present == {"stock_b.csv", "stock_d.csv"}


def test_a_file_written_again_with_the_same_bytes_is_not_new_in_s3(amazon, tmp_path):
    amazon.put(stock=b"a,1\n")
    first = fetch(tmp_path, "s3://supply/stock.csv", env=amazon.env)
    assert len(brought(first)) == 1
    forget(tmp_path)
    amazon.put(stock=b"a,1\n")  # a newer time, the same content
    assert (
        brought(fetch(tmp_path, "s3://supply/stock.csv", env=amazon.env, since=first.after)) == {}
    )


def test_folders_keep_files_of_one_name_apart(store, tmp_path):
    store.put(y2023__stock=b"1\n", y2024__stock=b"2\n")
    got = fetch(tmp_path, f"{store.scheme}://supply/*/stock.csv", env=store.env)
    assert brought(got) == {"y2023/stock.csv": b"1\n", "y2024/stock.csv": b"2\n"}


def test_a_file_overwritten_while_it_is_copied_is_copied_again(store, tmp_path, monkeypatch):
    store.put(stock=b"old\n")
    kind = type(store.files)
    copy = kind.get_file
    copies = []

    def slowly(self, path, to, **words):
        copy(self, path, to, **words)
        copies.append(1)
        if len(copies) == 1:
            store.files.pipe_file(path, b"new\n", overwrite=True)

    monkeypatch.setattr(kind, "get_file", slowly)
    got = fetch(tmp_path, f"{store.scheme}://supply/stock.csv", env=store.env)
    assert brought(got) == {"stock.csv": b"new\n"}
    assert len(copies) == 2
    forget(tmp_path)
    monkeypatch.undo()
    again = fetch(tmp_path, f"{store.scheme}://supply/stock.csv", env=store.env, since=got.after)
    assert brought(again) == {}  # the version kept is that of the bytes that came


def test_a_file_that_never_stands_still_is_given_up(amazon, tmp_path, monkeypatch):
    amazon.put(stock=b"0\n")
    copy = type(amazon.files).get_file
    copies = []

    def busy(self, path, to, **words):
        copy(self, path, to, **words)
        copies.append(1)
        amazon.put(stock=b"%d\n" % len(copies))

    monkeypatch.setattr(type(amazon.files), "get_file", busy)
    with pytest.raises(Qua3ckError, match="3 tries: changed while it was copied") as told:
        brought(fetch(tmp_path, "s3://supply/stock.csv", env=amazon.env))
    assert told.value.code == "U143"


def test_killed_between_files_it_copies_no_file_twice(amazon, tmp_path, monkeypatch):
    amazon.put(**{f"stock_{i}": b"%d\n" % i for i in range(3)})
    copies = []
    copy = type(amazon.files).get_file

    def counted(self, path, to, **words):
        copies.append(path)
        copy(self, path, to, **words)

    monkeypatch.setattr(type(amazon.files), "get_file", counted)
    for number in (2, 3):

        def dies(text, number=number):
            if f" {number} of" in text:
                raise Killed

        with pytest.raises(Killed):
            brought(fetch(tmp_path, "s3://supply/stock_*.csv", env=amazon.env, tell=dies))
    amazon.put(stock_0=b"changed meanwhile\n")
    got = brought(fetch(tmp_path, "s3://supply/stock_*.csv", env=amazon.env))
    assert len(got) == 3
    assert got["stock_0.csv"] == b"changed meanwhile\n"
    assert sorted(copies) == sorted(
        [*(f"supply/stock_{i}.csv" for i in range(3)), "supply/stock_0.csv"]
    )


def test_one_file_can_be_pinned_in_a_store_too(store, tmp_path):
    store.put(stock=BODY, stock2=BODY)
    path = f"{store.scheme}://supply/stock.csv"
    assert brought(fetch(tmp_path, path, env=store.env, sha256=SUM)) == {"stock.csv": BODY}
    forget(tmp_path)
    with pytest.raises(Qua3ckError, match="names one file, and 2") as told:
        brought(fetch(tmp_path, path.replace("stock", "stock*"), env=store.env, sha256=SUM))
    assert told.value.code == "U143"
    store.put(stock=b"other")
    with pytest.raises(Qua3ckError, match="not the file that is meant"):
        brought(fetch(tmp_path, path, env=store.env, sha256=SUM))


def test_what_is_not_there_is_told_with_what_is(store, tmp_path):
    store.put(stock=b"1")
    for path, says in (
        (f"{store.scheme}://supply/stok.csv", 'did you mean "stock.csv"'),
        (f"{store.scheme}://supply/x*.csv", "Nothing at"),
        (f"{store.scheme}://nowhere/x.csv", "Nothing at"),
    ):
        with pytest.raises(Qua3ckError, match=says) as told:
            brought(fetch(tmp_path, path, env=store.env))
        assert told.value.code == "U138"


def test_a_store_that_is_not_there_is_given_up(tmp_path, moto):
    del moto
    env = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "geheim",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    with pytest.raises(Qua3ckError, match="no connection 3 x") as told:
        brought(fetch(tmp_path, "s3://supply/stock.csv", env=env))
    assert told.value.code == "U136"
    assert "geheim" not in str(told.value)


def test_a_store_that_refuses_says_which_variables_to_set(serve, tmp_path):
    refusal = b"<Error><Code>InvalidAccessKeyId</Code><Message>geheim</Message></Error>"
    server = serve(lambda _: Reply(403, refusal, {"content-type": "application/xml"}))
    env = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "geheim",
        "AWS_ENDPOINT_URL": server.url,
    }
    with pytest.raises(Qua3ckError, match="refuses these credentials") as told:
        brought(fetch(tmp_path, "s3://supply/*.csv", env=env))
    assert told.value.code == "U137"
    assert "AWS_SECRET_ACCESS_KEY" in told.value.fix
    assert "geheim" not in str(told.value)


def test_a_wrong_key_of_azure_is_refused(azurite, tmp_path):
    wrong = azurite.replace("AccountKey=Eby8", "AccountKey=Ebz8")
    with pytest.raises(Qua3ckError) as told:
        brought(
            fetch(tmp_path, "az://supply/x.csv", env={"AZURE_STORAGE_CONNECTION_STRING": wrong})
        )
    assert told.value.code == "U137"
    assert "AZURE_STORAGE_ACCOUNT_KEY" in told.value.fix


def test_an_azure_account_must_be_named(tmp_path):
    with pytest.raises(Qua3ckError, match="Which Azure account") as told:
        brought(fetch(tmp_path, "az://supply/x.csv"))
    assert told.value.code == "U135"


def test_credentials_in_the_path_of_a_bucket_are_refused():
    with pytest.raises(ValueError, match="holds a secret"):
        Source(kind="csv", path="s3://AKIA:geheim@supply/x.csv")


def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(Qua3ckError) as told:
        brought(fetch(tmp_path, "s3://supply/x.csv"))
    assert told.value.fix == 'python -m pip install "qua3ck[buckets]"'
