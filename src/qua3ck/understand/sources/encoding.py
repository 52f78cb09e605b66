"""From bytes as received to UTF-8 text: what packs them, and which encoding they are in.

A file is read as a stream, so that its size does not matter. The encoding is decided once, for
a proposal: a byte order mark and valid UTF-8 prove themselves; among the old one-byte encodings,
in which nearly any bytes are valid, the one is taken under which the words with letters beyond
ASCII look like words. When loading it is declared, and what does not fit is said.
"""

from __future__ import annotations

import codecs
import lzma
import re
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast

from qua3ck.kit.errors import Qua3ckError

CHUNK = 1 << 22  # bytes read at once
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
)
_ONE_BYTE = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("iso8859_2", "iso8859_5", "iso8859_7", "iso8859_15", "koi8_r", "cp850", "cp437", "cp852"),
    *("cp866", "mac_roman"),
)
_MANY_BYTES = ("shift_jis", "cp932", "gb18030", "big5", "euc_jp", "euc_kr", "cp949")
_SAMPLE = 1 << 16  # bytes of lines that are not ASCII
_NO_TEXT = {"Cc", "Cn", "Co", "Cs"}
_ANYWHERE = set("’·\u00a0\u202f\u00ad")  # symbols, and beside what they may stand
_BEFORE = set("«“‘„‹¿¡°")  # no letter on the left
_AFTER = set("»”›…²³¹ºª®™©°")  # no letter on the right, but °C
_ALONE = set("–—•×÷±µ‰§£€¥½¼¾")
_WORD = re.compile(r"[^\W\d_²³¹½¼¾]+")
_LANGUAGES = {  # letters beyond ASCII, and how far to believe it where another fits as well
    "äöüß": 1.0,  # German
    "àâæçéèêëîïôœùûüÿ": 1.0,  # French
    "áéíñóúü": 1.0,  # Spanish
    "áâãàçéêíóôõúü": 1.0,  # Portuguese
    "àèéìíîòóù": 0.99,  # Italian
    "åäöæøéü": 0.99,  # Nordic
    "ąćęłńóśźż": 0.98,  # Polish
    "áäčďéěíĺľňóôŕřšťúůýž": 0.98,  # Czech, Slovak
    "áéíóöőúüű": 0.97,  # Hungarian
    "ăâîșțşţ": 0.97,  # Romanian
    "âçğıîöşûü\u0307": 0.97,  # Turkish
    "čćđšž": 0.97,  # Croatian
    "āčēģīķļņšūžąęėįųõäöü": 0.96,  # Baltic
    "çë": 0.97,  # Albanian
    "áéíóúýðþæö": 0.9,  # Icelandic
}


@dataclass(frozen=True)
class Decided:
    """One thing decided about a file, and the evidence in a sentence."""

    value: str
    why: str


def packing(head: bytes) -> str:
    """Return what packs a file that begins with ``head``; empty if nothing does."""
    return next((name for mark, name in _PACKED if head.startswith(mark)), "")


@contextmanager
def unpacked(path: Path, *, place: str) -> Iterator[BinaryIO]:
    """Open a file for reading, through gzip, bzip2, xz, zstd, or a zip of one member.

    Raises
    ------
    Qua3ckError
        If it cannot be read, is damaged or ends too early; also while it is being read.
    """
    import zipfile

    kind = ""
    try:
        with path.open("rb") as stored:
            kind = packing(stored.read(8))
            stored.seek(0)
            with _opened(stored, kind, path, place) as stream:
                yield stream
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as problem:
        raise _damaged(path, kind, problem) from problem
    except OSError as problem:
        if problem.errno is None and kind:  # so gzip, bzip2 and zstd say damage
            raise _damaged(path, kind, problem) from problem
        raise Qua3ckError(
            f"{path.name} cannot be read ({problem.strerror})",
            where=f"{place}.path",
            fix="bring a file that you may read",
            code="U101",
        ) from problem


@contextmanager
def _opened(stored: BinaryIO, kind: str, path: Path, place: str) -> Iterator[BinaryIO]:
    import bz2
    import gzip

    import pyarrow as pa

    match kind:
        case "":
            yield stored
        case "gzip":
            with gzip.open(stored, "rb") as stream:
                yield cast("BinaryIO", stream)
        case "bzip2":
            with bz2.open(stored, "rb") as stream:
                yield cast("BinaryIO", stream)
        case "xz":
            with lzma.open(stored, "rb") as stream:
                yield cast("BinaryIO", stream)
        case "zstd":
            with pa.CompressedInputStream(pa.PythonFile(stored, mode="r"), "zstd") as stream:
                yield stream
        case _:
            with _sole_member(stored, path, place) as stream:
                yield stream


@contextmanager
def _sole_member(stored: BinaryIO, path: Path, place: str) -> Iterator[BinaryIO]:
    import zipfile

    with zipfile.ZipFile(stored) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        if len(members) != 1 or members[0].flag_bits & 1:
            found = f"{len(members)} files" if len(members) != 1 else "an encrypted file"
            raise Qua3ckError(
                f"{path.name} is a zip with {found}; one readable file is needed",
                where=f"{place}.path",
                fix="unpack it, and name the file or a pattern for several",
                code="U123",
            )
        with archive.open(members[0]) as stream:
            yield cast("BinaryIO", stream)


def _damaged(path: Path, kind: str, problem: Exception) -> Qua3ckError:
    early = isinstance(problem, EOFError) or "truncated" in str(problem).lower()
    return Qua3ckError(
        f"{path.name} is {'cut off' if early else 'damaged'}: its {kind} data "
        f"{'end too early' if early else 'cannot be unpacked'}",
        where=str(path),
        fix="fetch the file again; nothing of it was loaded",
        code="U123",
    )


def utf8_chunks(stream: BinaryIO, encoding: str, *, file: str, place: str) -> Iterator[bytes]:
    """Yield a stream's bytes as UTF-8, without a byte order mark.

    UTF-8 is passed through as it is, so that damaged bytes stay where they are and can be held
    with their record; so are bytes that a one-byte encoding does not have.

    Raises
    ------
    Qua3ckError
        If the encoding is unknown, the stream begins with another one's mark, or (UTF-16,
        UTF-32, Asian encodings) it holds what the encoding cannot be.
    """
    decoder = _decoder(encoding, place)
    chunk = stream.read(CHUNK)
    _refuse_other_mark(chunk, encoding, file, place)
    if decoder is None:
        yield chunk.removeprefix(codecs.BOM_UTF8)
        while chunk := stream.read(CHUNK):
            yield chunk
        return
    read = 0
    try:
        while chunk:
            text = decoder.decode(chunk)
            yield (text if read else text.removeprefix("\ufeff")).encode("utf-8", "surrogateescape")
            read += len(chunk)
            chunk = stream.read(CHUNK)
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")
    except UnicodeDecodeError as problem:
        raise wrong_encoding(file, encoding, read + problem.start, "", place) from None


def _decoder(encoding: str, place: str) -> codecs.IncrementalDecoder | None:
    """Return a decoder; None for UTF-8."""
    try:
        found = codecs.lookup(encoding)
        if found.name in {"utf-8", "utf-8-sig", "ascii"}:
            return None
        "".encode(encoding)  # not every codec is one of text
        return found.incrementaldecoder("surrogateescape") if found.incrementaldecoder else None
    except LookupError:
        raise Qua3ckError(
            f'Unknown encoding "{encoding}"',
            where=f"{place}.encoding",
            fix="write one of: utf-8, cp1252, latin-1, utf-16, or another that Python knows",
            code="U102",
        ) from None


def _refuse_other_mark(head: bytes, encoding: str, file: str, place: str) -> None:
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    declared = codecs.lookup(encoding).name
    if marked is None or declared.startswith(marked) or (marked, declared) == ("utf-8", "ascii"):
        return
    raise wrong_encoding(file, encoding, 0, marked, place)


def wrong_encoding(file: str, encoding: str, byte: int, other: str, place: str) -> Qua3ckError:
    """Return the error of a file that is not in its declared encoding as a whole."""
    return Qua3ckError(
        f"{file} is not in the declared encoding {encoding}: byte {byte} cannot be read",
        where=f"{place}.encoding",
        fix=f"declare what it is, such as: encoding: {other or 'cp1252'}; "
        "qua3ck load --propose says what it looks like",
        code="U102",
    )


@dataclass
class _Seen:
    """What a pass over a file's bytes tells about its encoding."""

    size: int = 0
    high: int = 0  # bytes beyond ASCII
    damaged: int = 0  # of these, not valid UTF-8
    odd: int = 0  # zero bytes at odd places
    even: int = 0
    head: bytes = b""
    sample: bytes = b""  # lines that hold bytes beyond ASCII


def decide_encoding(stream: BinaryIO) -> Decided:
    """Return the encoding of a stream, read to its end.

    Returns
    -------
    Decided
        A name that Python knows, and what speaks for it.

    Notes
    -----
    UTF-8 is taken where it is valid throughout, or damaged in less than a tenth of what is
    beyond ASCII: long text of another encoding is never valid UTF-8 by chance. One-byte
    encodings are judged on words; charset-normalizer gives further candidates and breaks ties.
    """
    seen = _pass_over(stream)
    mark = next((name for sign, name in _MARKS if seen.head.startswith(sign)), None)
    if mark is not None:
        return Decided(mark, f"the file begins with the byte order mark of {mark.upper()}")
    zeros = seen.odd + seen.even
    if zeros > 0.2 * seen.size:
        order = "le" if seen.odd > seen.even else "be"
        return Decided(f"utf-16-{order}", f"{zeros} of {seen.size} bytes are zero, in turns")
    if seen.high == 0:
        return Decided("utf-8", "all bytes are ASCII, which UTF-8 reads the same")
    if seen.damaged == 0:
        return Decided("utf-8", f"all {seen.high} bytes beyond ASCII are valid UTF-8")
    if seen.damaged < 0.1 * seen.high:
        return Decided(
            "utf-8",
            f"{seen.high - seen.damaged} of {seen.high} bytes beyond ASCII are valid UTF-8; "
            "the records with the others will be held",
        )
    return _legacy(seen)


def _pass_over(stream: BinaryIO) -> _Seen:
    import numpy as np

    seen = _Seen()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while chunk := stream.read(CHUNK):
        if seen.size == 0:
            seen.head = chunk[:4]
        if 0 in chunk:
            seen.odd += chunk[1::2].count(0)  # CHUNK is even: places keep their parity
            seen.even += chunk[0::2].count(0)
        seen.size += len(chunk)
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        seen.high += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) >= 0x80))
        text = decoder.decode(chunk)
        seen.damaged += len(re.findall("[\udc80-\udcff]", text))
        seen.sample += _odd_lines(chunk, _SAMPLE - len(seen.sample))
    return seen


def _odd_lines(chunk: bytes, room: int) -> bytes:
    """Return lines that hold bytes beyond ASCII, ``room`` bytes of them at most."""
    found = bytearray()
    for line in chunk.splitlines(keepends=True) if room > 0 else ():
        if not line.isascii():
            found += line
            if len(found) >= room:
                break
    return bytes(found[: max(room, 0)])


def _legacy(seen: _Seen) -> Decided:
    """Return the encoding under which the sample's words look most like words."""
    ranked = _normalizer(seen.sample)
    names = dict.fromkeys([*_ONE_BYTE, *_MANY_BYTES, *ranked])
    scores = {name: score for name in names if (score := _plausible(seen.sample, name)) is not None}
    if not scores:
        return Decided("latin-1", "no other encoding reads its bytes")
    best = max(scores.values())
    tied = [name for name in names if scores.get(name, -1.0) >= best - 1e-9]
    chosen = tied[0]
    if chosen != "cp1252":  # the usual one wins a tie; else the language model's order
        chosen = next((name for name in ranked if name in tied), chosen)
    others = ", ".join(name for name in tied if name != chosen)
    also = f"; {others} read it as well" if len(tied) < 5 and others else ""
    return Decided(
        chosen,
        f"not valid UTF-8 ({seen.damaged} bytes); as {chosen} {best:.0%} of the "
        f"words with letters beyond ASCII look like words{also}",
    )


def _normalizer(sample: bytes) -> list[str]:
    """Return the encodings in which charset-normalizer knows a language, its best first."""
    from charset_normalizer import from_bytes

    found = from_bytes(sample[:20_000])
    return [
        one.encoding for one in found if one.coherence > 0 and not one.encoding.startswith("utf")
    ]


def _plausible(sample: bytes, encoding: str) -> float | None:
    """Return how much the text beyond ASCII looks like some language; None if it is none.

    The share of words that could be words, times the share of their letters that one
    language has, the best of all.
    """
    try:
        text = sample.decode(encoding, "ignore" if encoding in _MANY_BYTES else "strict")
        whole = encoding not in _MANY_BYTES or len(text.encode(encoding)) >= len(sample) - 1
    except (UnicodeError, LookupError):
        return None
    strange = {sign for sign in text if not sign.isascii()}
    if not whole or any(unicodedata.category(sign) in _NO_TEXT for sign in strange):
        return None
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    likely = [word for word in words if _like_a_word(word)]
    letters = "".join(sign for sign in "".join(likely).lower() if not sign.isascii())
    symbols = [at for at, sign in enumerate(text) if not sign.isascii() and not sign.isalpha()]
    known = sum(_stands_well(text, at) for at in symbols)
    total = len(words) + len(symbols)
    return (len(likely) * _language(letters) + known) / total if total else 0.0


def _stands_well(text: str, at: int) -> bool:
    """Whether a symbol stands where such symbols do: in ``Gr§e`` it is a misread letter."""
    sign, before, after = text[at], text[at - 1 : at].isalpha(), text[at + 1 : at + 2].isalpha()
    return (
        sign in _ANYWHERE
        or (sign in _BEFORE and not before)
        or (sign in _AFTER and not after)
        or (sign in _ALONE and not before and not after)
    )


def _language(letters: str) -> float:
    """Return the share of letters that one language has, the best; other scripts count as one."""
    latin = [sign for sign in letters if unicodedata.name(sign, "").startswith("LATIN")]
    if not latin:
        return 1.0
    best = max(share * sum(sign in known for sign in latin) for known, share in _LANGUAGES.items())
    return best / len(latin)


def _like_a_word(word: str) -> bool:
    """Whether the letters of a word go together: one script, no capitals inside."""
    if not (word.islower() or word.isupper() or word[1:].islower()):
        inside = [a + b for a, b in pairwise(word) if b.isupper()]
        if any(not pair.isascii() for pair in inside):
            return False
    if any("\uff61" <= sign <= "\uff9f" for sign in word):  # halfwidth: any bytes read so
        return False
    return len({unicodedata.name(sign, "?").split()[0] for sign in word}) == 1
