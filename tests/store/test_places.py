from __future__ import annotations

import io
import uuid

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.places import place_at


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    return place_at(str(tmp_path / "there") if request.param == "folder" else memory())


def memory():
    return f"memory://{uuid.uuid4().hex}/backups of us"


def test_what_is_written_can_be_read_and_is_listed(place):
    assert place.names("a") == []
    place.write("a/b/one", io.BytesIO(b"1"))
    place.write("a/two", io.BytesIO(b"22"))
    place.write("a/two", io.BytesIO(b"2"))
    assert place.names("a") == ["a/b/one", "a/two"]
    assert place.names("a/b") == ["a/b/one"]
    with place.read("a/two") as stream:
        assert stream.read() == b"2"
    with pytest.raises(FileNotFoundError), place.read("a/three"):
        pass


def test_a_broken_source_leaves_what_was_there(tmp_path):
    place = place_at(str(tmp_path))
    place.write("a", io.BytesIO(b"old"))

    class Broken:
        def read(self, _=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(Qua3ckError) as told:
        place.write("a", Broken())
    assert told.value.code == "S015"
    assert (tmp_path / "a").read_bytes() == b"old"
    assert place.names("") == ["a"]


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket/x", "s3://key@bucket/x", "https://u:secret@example.org/x"]
)
def test_credentials_in_a_url_are_refused_and_not_repeated(url):
    with pytest.raises(Qua3ckError, match="password") as told:
        place_at(url)
    assert told.value.code == "S015"
    assert "secret" not in str(told.value)
    assert "key@" not in str(told.value)


def test_a_url_that_nobody_knows_is_told_plainly():
    with pytest.raises(Qua3ckError) as told:
        place_at("nosuch://bucket/x")
    assert told.value.code == "S015"


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(Qua3ckError) as told:
        place_at("s3://bucket/x")
    assert 'qua3ck[buckets]"' in told.value.fix


def test_a_folder_that_cannot_be_made_is_told_plainly(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Qua3ckError) as told:
        place_at(str(tmp_path / "file")).write("a", io.BytesIO(b""))
    assert told.value.code == "S015"


def test_a_real_bucket_protocol_keeps_and_lists(monkeypatch):
    """Against moto's S3 server on this machine."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-word")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        place = place_at("s3://stick/backups")
        with pytest.raises(Qua3ckError) as told:  # there is no such bucket yet
            place.write("objects/one", io.BytesIO(b"1"))
        assert told.value.code == "S015"
        assert "hidden-word" not in str(told.value)
        place._files.mkdir("stick")
        place.write("objects/one", io.BytesIO(b"x" * 6_000_000))
        place.write("backups/first.json", io.BytesIO(b"{}"))
        assert place.names("backups") == ["backups/first.json"]
        assert place.names("nothing") == []
        with place.read("objects/one") as stream:
            assert stream.read() == b"x" * 6_000_000
        with pytest.raises(FileNotFoundError), place.read("objects/two"):
            pass
    finally:
        server.stop()
