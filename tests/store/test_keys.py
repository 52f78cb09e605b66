import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit import Qua3ckError
from qua3ck.store.codes import KEY_PAGES
from qua3ck.store.keys import KeyStore, PublicKeys, decrypt, encrypt, verify, wrap

posix = pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX idea")


@pytest.fixture
def store(tmp_path):
    return KeyStore(tmp_path / "keys")


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def _refused(act, code):
    with pytest.raises(Qua3ckError) as caught:
        act()
    assert caught.value.code == code
    assert all((caught.value.what, caught.value.where, caught.value.fix))
    return caught.value


def test_a_signature_fits_its_key_and_its_message_only(store):
    ana, ben = (store.identity(name, create=True) for name in ("ana", "ben"))
    signature = ana.sign(b"yes")
    assert verify(ana.public.signing, signature, b"yes")
    assert not verify(ben.public.signing, signature, b"yes")
    assert not verify(ana.public.signing, signature, b"no")
    assert not verify(ana.public.signing, b"", b"yes")
    assert not verify(b"short", signature, b"yes")


def test_an_identity_is_the_same_when_read_again(store):
    made = store.identity("ana", create=True)
    assert store.identity("ana", create=False).public == made.public
    assert store.identity("ana", create=True).public == made.public
    assert "ana" in repr(made)
    assert len(repr(made)) < 30


def test_a_wrapped_secret_opens_for_its_person_and_purpose_only(store):
    ana, ben = (store.identity(name, create=True) for name in ("ana", "ben"))
    wrapped = wrap(ana.public.sealing, b"k" * 32, b"seal-1")
    assert ana.unwrap(wrapped, b"seal-1") == b"k" * 32
    _refused(lambda: ben.unwrap(wrapped, b"seal-1"), "S033")
    _refused(lambda: ana.unwrap(wrapped, b"seal-2"), "S033")
    _refused(lambda: ana.unwrap(b"torn", b"seal-1"), "S033")


@given(plain=st.binary(max_size=200), at=st.integers(0, 10_000), aad=st.binary(max_size=10))
def test_what_is_encrypted_comes_back_and_every_changed_byte_is_noticed(plain, at, aad):
    key = bytes(range(32))
    blob = encrypt(key, plain, aad)
    assert decrypt(key, blob, aad) == plain
    place = at % len(blob)
    changed = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
    for wrong in ((key, changed, aad), (key, blob, aad + b"x"), (b"\0" * 32, blob, aad)):
        with pytest.raises(Qua3ckError, match="wrong key"):
            decrypt(*wrong)


def test_encrypting_twice_never_looks_the_same():
    assert encrypt(b"k" * 32, b"x", b"") != encrypt(b"k" * 32, b"x", b"")


def test_no_key_for_the_seal_says_what_where_and_fix(store):
    problem = _refused(lambda: store.secret("seal-ab", create=False), "S032")
    assert "seal-ab" in problem.what
    assert "QUA3CK_KEYS" in problem.fix


def test_a_secret_is_32_bytes_and_stays_the_same(store):
    made = store.secret("project-1", create=True)
    assert len(made) == 32
    assert store.secret("project-1", create=True) == store.secret("project-1", create=False) == made
    assert store.secret("project-2", create=True) != made


def test_a_secret_that_is_kept_is_never_overwritten(store):
    store.put_secret("seal-1", b"a" * 32)
    store.put_secret("seal-1", b"a" * 32)
    _refused(lambda: store.put_secret("seal-1", b"b" * 32), "S034")
    assert store.secret("seal-1", create=False) == b"a" * 32
    store.drop_secret("seal-1")
    store.drop_secret("seal-1")
    _refused(lambda: store.secret("seal-1", create=False), "S032")


def test_no_private_key_is_an_error_and_makes_none(store):
    _refused(lambda: store.identity("ana", create=False), "S031")
    assert not store.has_identity("ana")


@posix
def test_only_the_owner_may_read_what_is_kept(store):
    store.identity("ana", create=True)
    store.secret("seal-1", create=True)
    for path in (store.folder, *store.folder.rglob("*")):
        assert _mode(path) == (0o700 if path.is_dir() else 0o600), path


@posix
@pytest.mark.parametrize("place", ["people/ana.pem", "people"])
def test_modes_that_are_too_open_are_refused_with_the_chmod_to_type(store, place):
    store.identity("ana", create=True)
    path = store.folder / place
    path.chmod(_mode(path) | 0o040)
    problem = _refused(lambda: store.identity("ana", create=False), "S037")
    assert problem.fix == f"chmod {'700' if path.is_dir() else '600'} {path}"


@posix
def test_a_secret_others_may_read_is_refused(store):
    store.secret("seal-1", create=True)
    (store.folder / "secrets/seal-1.key").chmod(0o644)
    _refused(lambda: store.secret("seal-1", create=False), "S037")


def test_a_passphrase_is_asked_for_and_a_wrong_one_refused(tmp_path):
    locked = KeyStore(tmp_path / "keys", passphrase=b"correct")
    public, secret = locked.identity("ana", create=True).public, locked.secret("s", create=True)
    assert KeyStore(locked.folder, passphrase=b"correct").identity("ana", create=False).public == (
        public
    )
    assert KeyStore(locked.folder, passphrase=b"correct").secret("s", create=False) == secret
    for wrong in (KeyStore(locked.folder), KeyStore(locked.folder, passphrase=b"wrong")):
        _refused(lambda store=wrong: store.identity("ana", create=False), "S039")
        _refused(lambda store=wrong: store.secret("s", create=False), "S039")
    assert secret not in (locked.folder / "secrets/s.key").read_bytes()
    assert b"ENCRYPTED" in (locked.folder / "people/ana.pem").read_bytes()


def test_keys_made_without_a_passphrase_open_with_one_set(store):
    public = store.identity("ana", create=True).public
    assert KeyStore(store.folder, passphrase=b"later").identity("ana", create=False).public == (
        public
    )


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", b"\xff\xfe"])
def test_a_damaged_key_file_is_an_error_not_a_traceback(store, damage):
    store.identity("ana", create=True)
    store.secret("s", create=True)
    (store.folder / "people/ana.pem").write_bytes(damage)
    (store.folder / "secrets/s.key").write_bytes(damage)
    _refused(lambda: store.identity("ana", create=False), "S038")
    _refused(lambda: store.secret("s", create=False), "S038")


@pytest.mark.parametrize("name", ["../ana", "Ana", "", "a/b", "a b", ".hidden", "x" * 65])
def test_a_name_cannot_leave_the_folder(store, name):
    _refused(lambda: store.identity(name, create=True), "S035")


def test_a_store_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    _refused(lambda: KeyStore(tmp_path / "file/keys").identity("ana", create=True), "S036")


def test_the_default_place_follows_the_environment(tmp_path):
    home = str(tmp_path)
    assert KeyStore.default({"QUA3CK_KEYS": home + "/k"}).folder == tmp_path / "k"
    if os.name == "posix":
        assert KeyStore.default({"XDG_CONFIG_HOME": home}).folder == tmp_path / "qua3ck/keys"
        assert KeyStore.default({}).folder.parts[-3:] == (".config", "qua3ck", "keys")


def test_public_keys_survive_text_and_bad_text_is_refused(store):
    public = store.identity("ana", create=True).public
    assert PublicKeys.from_text(public.as_text(), where="x") == public
    for bad in ({}, {"signing": "AAAA", "sealing": "AAAA"}, {"signing": 3, "sealing": "%"}):
        _refused(lambda text=bad: PublicKeys.from_text(text, where="people/x.pub"), "S038")


def test_every_code_has_a_page():
    import inspect

    from qua3ck.store import keys

    raised = {word for word in inspect.getsource(keys).split('"') if word.startswith("S03")}
    assert raised == {page.code for page in KEY_PAGES}
