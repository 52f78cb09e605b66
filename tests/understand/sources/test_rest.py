from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from standin import (
    Reply,
    Seen,
    Standin,
    as_json,
    by_cursor,
    by_link,
    by_next,
    by_number,
    by_offset,
)

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import as_json as record_as_json
from qua3ck.kit.records import from_json
from qua3ck.understand.section import Source
from qua3ck.understand.sources.fetching import Journal, Position
from qua3ck.understand.sources.patience import Patience
from qua3ck.understand.sources.rest import fetch_http

DATA = Path(__file__).parents[4] / "shared" / "data"
ROWS = [{"id": f"{i:04d}", "name": "NA", "amount": i} for i in range(95)]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CURSOR = {"style": "cursor", "next": "meta.cursor", "parameter": "cursor"}
NUMBER = {"style": "page", "parameter": "page"}
NEXT = {"style": "next", "next": "next"}
STYLES = {
    "cursor": (by_cursor(ROWS, size=10), {"records": "items", "paging": CURSOR}),
    "page": (
        by_number(ROWS, size=10),
        {"records": "items", "count": "pager.total", "paging": NUMBER},
    ),
    "page with a number of pages": (
        by_number(ROWS, size=10),
        {"records": "items", "paging": NUMBER | {"pages": "pager.pageCount"}},
    ),
    "offset": (
        by_offset(ROWS, most=10),
        {"records": "results", "paging": {"style": "offset", "parameter": "start"}},
    ),
    "link": (by_link(ROWS, size=10), {"paging": {"style": "link"}}),
    "next": (by_next(ROWS, size=10), {"records": "results", "paging": NEXT}),
    "next, left out at the end": (
        by_number(ROWS, size=10),
        {"records": "items", "paging": NEXT | {"next": "pager.nextPage"}},
    ),
}


class Time:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def patience(self) -> Patience:
        return Patience(clock=lambda: self.seconds, sleep=self.sleep)


class Killed(BaseException):
    """Stands for the moment at which a process is gone."""


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def ask(tmp_path, time):
    """Bring in what a server has; the scratch folder stays between calls."""

    def go(server: Standin, path: str = "/rows", *, since=None, env=None, tell=None, **declared):
        source = Source.model_validate_json(
            json.dumps({"kind": "http", "url": server.url + path, "timeout": 0.3, **declared})
        )
        return fetch_http(
            "rows",
            source,
            tmp_path,
            since=since,
            into=tmp_path / "scratch",
            place="understand.sources.rows",
            tell=tell or (lambda _: None),
            patience=time.patience,
            env=env or {},
            clock=lambda: NOW + timedelta(seconds=time.seconds),
        )

    return go


def rows_in(pieces, pointer: str | None) -> list:
    found = []
    for piece in pieces:
        content = json.loads(piece.path.read_bytes())
        found += content if pointer is None else content[pointer]
    return found


def forget(tmp_path):
    """Do what the loader does after a commit."""
    for path in (tmp_path / "scratch").iterdir():
        path.unlink()


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_paging_gives_every_row_once(serve, ask, style):
    script, declared = STYLES[style]
    fetch = ask(serve(script), **declared)
    assert rows_in(fetch, declared.get("records")) == ROWS
    assert fetch.extract == "full"
    assert fetch.findings == []


# 1. Faults


FAULTS = {
    "429 seconds": Reply(429, b"", {"retry-after": "7"}),
    "429 date": Reply(429, b"", {"retry-after": "DATE"}),
    "429 silent": Reply(429),
    "500": Reply(500, b'{"x": 1}'),
    "502 html": Reply(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}),
    "reset": Reply(200, b'{"results": [1, 2, 3]}', how="reset"),
    "cut": Reply(200, b'{"results": [1, 2, 3]}', how="cut"),
    "open end": as_json({"results": [1, 2, 3]}),
    "stall": Reply(200, b'{"results": [1, 2, 3]}', how="stall"),
    "damaged gzip": Reply(200, b"no gzip at all", {"content-encoding": "gzip"}),
}
FAULTS["open end"] = Reply(200, FAULTS["open end"].body, FAULTS["open end"].headers, "open")


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_in_passing_changes_no_row(serve, ask, time, fault):
    server = serve(by_next(ROWS, size=30))
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    reply = FAULTS[fault]
    if reply.headers.get("retry-after") == "DATE":
        reply = Reply(429, b"", {"retry-after": date})
    server.faults.extend([reply, None, reply, reply, None, None, reply])
    fetch = ask(server, records="results", paging=NEXT)
    assert rows_in(fetch, "results") == ROWS
    assert len(server.seen) == 4 + 4
    assert 0 < time.seconds < 60
    if fault == "429 seconds":
        assert time.slept == [7, 7, 7, 7]
    if fault == "429 date":
        assert all(7 <= pause <= 10 for pause in time.slept)


def test_tries_are_bounded_and_the_next_run_goes_on_from_there(serve, ask, time):
    server = serve(by_next(ROWS, size=30))
    server.faults.extend([None, None, *[FAULTS["502 html"]] * 6])
    declared = {"records": "results", "paging": NEXT}
    first = []
    with pytest.raises(Qua3ckError, match=r"6 tries: status 502 6 x") as told:
        first.extend(ask(server, **declared))
    assert told.value.code == "U136"
    assert len(first) == 2
    assert time.slept == [1, 2, 4, 8, 16]
    asked = len(server.seen)
    assert rows_in(ask(server, **declared), "results") == ROWS
    assert len(server.seen) - asked == 2  # pages 3 and 4


def test_a_server_that_asks_to_wait_longer_than_we_may_is_left_alone(serve, ask, time):
    server = serve(lambda _: Reply(429, b"", {"retry-after": "86400"}))
    with pytest.raises(Qua3ckError, match="asks to wait 86400 s"):
        list(ask(server))
    assert (len(server.seen), time.slept) == (1, [])


def test_the_time_for_one_request_is_bounded_too(serve, ask, time):
    server = serve(lambda _: Reply(503, b"", {"retry-after": "250"}))
    with pytest.raises(Qua3ckError, match="status 503"):
        list(ask(server))
    assert time.seconds <= 600


# 2. Kills


@pytest.mark.parametrize(
    ("style", "moment"),
    [
        ("cursor", "after the journal"),
        ("page", "after the journal"),
        ("offset", "before the journal"),
        ("next", "before the journal"),
    ],
)
def test_killed_at_every_page_it_ends_with_the_same_pieces(
    serve, ask, tmp_path, monkeypatch, style, moment
):
    script, declared = STYLES[style]
    server = serve(script)
    undisturbed = [(p.name, p.digest) for p in ask(server, **declared)]
    forget(tmp_path)
    lines = Journal._line

    def dies_before(self, content):
        if "piece" in content and len(self.steps) == deaths[0]:
            raise Killed
        lines(self, content)

    deaths = [0]
    if moment == "before the journal":
        monkeypatch.setattr(Journal, "_line", dies_before)
    for page in range(10):
        deaths[0] = page

        def dies(text, page=page):
            if text.startswith(f"rows: page {page + 1},"):
                raise Killed

        with pytest.raises(Killed):
            list(ask(server, tell=dies if moment == "after the journal" else None, **declared))
    deaths[0] = -1
    requests = len(server.seen)
    fetch = ask(server, **declared)
    assert [(p.name, p.digest) for p in fetch] == undisturbed
    assert fetch.extract == "full"
    if moment == "after the journal":
        assert len(server.seen) - requests <= 1  # nothing is asked for twice


def test_killed_for_good_by_the_system_it_goes_on_at_the_next_page(serve, tmp_path):
    truth = by_cursor(ROWS, size=20)
    victims: list[subprocess.Popen] = []
    deadly = [1, 3]

    def answer(seen: Seen) -> Reply:
        if deadly and int(seen.query.get("cursor", 0)) // 20 == deadly[0]:
            deadly.pop(0)
            os.kill(victims[-1].pid, signal.SIGKILL)
        return truth(seen)

    server = serve(answer)
    script = (
        "import sys, json; from pathlib import Path\n"
        "from qua3ck.understand.section import Source\n"
        "from qua3ck.understand.sources.rest import fetch_http\n"
        "source = Source.model_validate_json(sys.argv[1])\n"
        "into = Path(sys.argv[2])\n"
        "fetch = fetch_http('rows', source, Path(), since=None, into=into, place='p')\n"
        "print(json.dumps([[p.name, p.path.read_text()] for p in fetch]))\n"
    )
    declared = {"kind": "http", "url": server.url, **STYLES["cursor"][1]}
    command = [sys.executable, "-c", script, json.dumps(declared), str(tmp_path / "scratch")]
    ends = []
    while not ends or ends[-1] == -signal.SIGKILL:
        victims.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        out, _ = victims[-1].communicate(timeout=30)
        ends.append(victims[-1].returncode)
    assert ends == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert [row for _, text in json.loads(out) for row in json.loads(text)["items"]] == ROWS
    asked = Counter(seen.query.get("cursor", "0") for seen in server.seen)
    assert asked == {"0": 1, "20": 2, "40": 1, "60": 2, "80": 1}  # only the page of the kill


def test_what_was_read_to_its_end_is_asked_for_anew(serve, ask):
    rows = [{"id": "1"}]
    server = serve(by_link(rows, size=10))
    assert rows_in(ask(server, paging={"style": "link"}), None) == rows
    rows.append({"id": "2"})
    assert rows_in(ask(server, paging={"style": "link"}), None) == rows


@pytest.mark.parametrize("harm", ["half a line", "no JSON", "a changed piece", "a day later"])
def test_a_journal_that_cannot_be_relied_on_is_not(serve, ask, tmp_path, time, harm):
    script, declared = STYLES["next"]
    server = serve(script)
    with pytest.raises(Killed):
        list(
            ask(
                server,
                tell=lambda t: (_ for _ in ()).throw(Killed) if "page 3" in t else None,
                **declared,
            )
        )
    journal = tmp_path / "scratch" / "journal.jsonl"
    match harm:
        case "half a line":
            journal.write_bytes(journal.read_bytes()[:-20])
        case "no JSON":
            journal.write_bytes(journal.read_bytes() + b"\xff\xfe\n")
        case "a changed piece":
            (tmp_path / "scratch" / "000002.piece").write_text("{}")
        case "a day later":
            time.seconds += 86_400
    requests = len(server.seen)
    assert rows_in(ask(server, **declared), "results") == ROWS
    assert len(server.seen) - requests == (8 if harm == "half a line" else 10)


# 3. to 5. Watermarks


def moment(second: int) -> str:
    return (datetime(2026, 4, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat()


def changed_since(rows, *, size: int = 25, script=by_next):
    """Answer like RapidPro: ``after`` includes its border, the newest first."""

    def answer(seen: Seen) -> Reply:
        after = seen.query.get("after", "")
        chosen = [row for row in rows if row["modified_on"] >= after]
        chosen.sort(key=lambda row: (row["modified_on"], row["id"]), reverse=True)
        return script(chosen, size=size)(seen)

    return answer


RAPID = {
    "records": "results",
    "paging": NEXT,
    "key": ["id"],
    "watermark": "modified_on",
    "overlap": "10m",
    "parameters": {"after": "{since}"},
}


def test_rows_tied_on_the_watermark_across_a_page_border_are_all_there(serve, ask, tmp_path):
    rows = [{"id": f"{i:03d}", "modified_on": moment(i)} for i in range(60)]
    for row in rows[10:50]:
        row["modified_on"] = moment(5000)
    rows += [{"id": f"{i:03d}", "modified_on": moment(5000)} for i in range(60, 70)]
    server = serve(changed_since(rows))
    fetch = ask(server, **RAPID)
    assert sorted(row["id"] for row in rows_in(fetch, "results")) == [f"{i:03d}" for i in range(70)]
    assert fetch.after.mark == moment(5000)
    forget(tmp_path)
    late = {"id": "070", "modified_on": moment(5000)}  # committed later, same timestamp
    rows.append(late)
    again = ask(server, since=fetch.after, **RAPID)
    got = rows_in(again, "results")
    assert late in got
    assert len(got) == 51  # all of the tie, none of the older ones
    assert again.extract == "changes"
    assert server.seen[-1].query["after"] == moment(5000 - 600)


def test_the_position_survives_being_kept_as_json(serve, ask):
    rows = [{"id": "1", "modified_on": moment(1)}]
    fetch = ask(serve(changed_since(rows)), **RAPID)
    list(fetch)
    kept = json.loads(json.dumps(record_as_json(fetch.after)))
    assert from_json(Position, kept) == fetch.after


def test_a_row_that_changes_while_it_is_read_comes_with_the_next_load(serve, ask, tmp_path):
    rows = [{"id": f"{i:03d}", "modified_on": moment(i), "v": 0} for i in range(100)]
    truth = changed_since(rows)

    def answer(seen: Seen) -> Reply:
        reply = truth(seen)
        if len(server.seen) == 2:  # while page 2 is read, a row of page 4 moves to page 1
            rows[3] |= {"modified_on": moment(9000), "v": 1}
        return reply

    server = serve(answer)
    first = ask(server, **RAPID)
    seen = {row["id"]: row for row in rows_in(first, "results")}
    assert seen.get("003", {}).get("v") != 1
    forget(tmp_path)
    second = ask(server, since=first.after, **RAPID)
    for row in rows_in(second, "results"):
        seen[row["id"]] = row
    assert seen == {row["id"]: row for row in rows}


@pytest.mark.parametrize("watched", ["keys", "count"])
def test_a_row_that_slips_between_numbered_pages_is_not_taken_as_gone(
    serve, ask, tmp_path, watched
):
    rows = [{"id": f"{i:03d}", "modified_on": moment(i)} for i in range(100)]

    def answer(seen: Seen) -> Reply:
        reply = by_offset(sorted(rows, key=lambda r: r["modified_on"]), most=25)(seen)
        if len(server.seen) == 2:
            if watched == "keys":  # moves from page 1 to the end: row 50 slips to page 2
                rows[0]["modified_on"] = moment(9000)
            else:
                rows.remove(rows[0])
        return reply

    server = serve(answer)
    declared = {
        "records": "results",
        "paging": {"style": "offset", "parameter": "start"},
        "key": ["id"],
        **({"count": "count"} if watched == "count" else {}),
    }
    fetch = ask(server, **declared)
    ids = {row["id"] for row in rows_in(fetch, "results")}
    assert "050" not in ids
    assert [finding.code for finding in fetch.findings] == ["U050"]
    assert fetch.extract == "changes"
    assert fetch.after.mark is None  # the next load asks for everything again
    forget(tmp_path)
    again = ask(server, since=fetch.after, **declared)
    assert {row["id"] for row in rows_in(again, "results")} == {row["id"] for row in rows}
    assert again.extract == "full"


def test_a_reading_longer_than_the_overlap_moves_the_mark_back(serve, ask, time):
    rows = [{"id": f"{i}", "modified_on": moment(i)} for i in range(60)]
    server = serve(changed_since(rows))
    server.faults.extend([None, Reply(429, b"", {"retry-after": "590"})])
    server.faults.extend([Reply(429, b"", {"retry-after": "60"})])
    server.faults.extend([None, Reply(429, b"", {"retry-after": "100"})])
    with pytest.raises(Qua3ckError):
        list(ask(server, **RAPID))
    fetch = ask(server, **RAPID)
    list(fetch)
    assert time.seconds > 600
    assert fetch.after.mark == moment(59 - int(time.seconds))


def test_what_the_source_marks_as_deleted_is_asked_for_and_told(serve, ask, tmp_path):
    rows = [{"id": str(i), "modified_on": moment(i), "deleted": False} for i in range(3)]

    def answer(seen: Seen) -> Reply:
        kept = [r for r in rows if seen.query.get("includeDeleted") == "true" or not r["deleted"]]
        return changed_since(kept)(seen)

    declared = {
        **RAPID,
        "parameters": {"after": "{since}", "includeDeleted": "true"},
        "deleted": "deleted",
    }
    server = serve(answer)
    first = ask(server, **declared)
    assert len(rows_in(first, "results")) == 3
    forget(tmp_path)
    rows[1] |= {"deleted": True, "modified_on": moment(500)}
    got = rows_in(ask(server, since=first.after, **declared), "results")
    assert [row["id"] for row in got if row["deleted"]] == ["1"]


# 6. Empty, and nothing new


def test_an_empty_answer_is_nothing_new_only_after_rows_have_come(serve, ask, tmp_path):
    rows = [{"id": "1", "modified_on": moment(1)}]
    replies = {"content": None}

    def answer(seen: Seen) -> Reply:
        if replies["content"] is not None:
            return as_json(replies["content"])
        return changed_since(rows)(seen)

    server = serve(answer)
    for content, says in (
        ({}, "{}"),
        ({"results": [], "next": None}, 'an empty list at "results"'),
    ):
        replies["content"] = content
        with pytest.raises(Qua3ckError, match="with no record at all") as told:
            list(ask(server, **RAPID))
        assert told.value.code == "U103"
        assert says in told.value.what
    replies["content"] = None
    first = ask(server, **RAPID)
    assert len(list(first)) == 1
    for content, codes in (({"results": [], "next": None}, []), ({}, ["U053"])):
        forget(tmp_path)
        replies["content"] = content
        again = ask(server, since=first.after, **RAPID)
        assert list(again) == []
        assert again.extract == "changes"
        assert again.after == first.after
        assert [finding.code for finding in again.findings] == codes


def test_an_empty_object_between_pages_is_no_end(serve, ask):
    server = serve(by_cursor(ROWS, size=10))
    server.faults.extend([None, None, as_json({})])
    with pytest.raises(Qua3ckError, match='has no "items"') as told:
        list(ask(server, records="items", paging=CURSOR))
    assert told.value.code == "U140"


@pytest.mark.parametrize(
    ("content", "records", "says"),
    [
        ({"dataValues": [{"a": 1}]}, "datavalues", 'did you mean "dataValues"'),
        ({"success": False, "error": {"secret": "Ada"}}, "result.records", "error, success"),
        ({"results": None, "next": None}, "results", '"results" of the answer is no list'),
        ({"results": {"a": 1}}, "results", "no list of records"),
        ({"rows": [], "other": 1}, None, "it is an object with: other, rows"),
        ("Ada", None, "no list of records"),
    ],
)
@pytest.mark.parametrize("since", [None, "mark"])
def test_an_answer_without_the_records_names_its_keys_and_no_values(
    serve, ask, content, records, says, since
):
    server = serve(lambda _: as_json(content))
    declared = {"key": ["id"], "watermark": "m"} | ({"records": records} if records else {})
    position = None
    if since:
        from qua3ck.understand.sources.fetching import question

        source = {"kind": "http", "url": server.url + "/rows", "timeout": 0.3, **declared}
        position = Position(question(Source.model_validate_json(json.dumps(source))), moment(1))
    with pytest.raises(Qua3ckError) as told:
        list(ask(server, since=position, **declared))
    assert told.value.code == "U140"
    assert says.lower() in told.value.what.lower()
    assert "Ada" not in str(told.value)


def test_a_changed_question_starts_anew(serve, ask, tmp_path):
    server = serve(changed_since([{"id": "1", "modified_on": moment(1)}]))
    first = ask(server, **RAPID)
    list(first)
    forget(tmp_path)
    other = RAPID | {"parameters": {"after": "{since}", "group": "b"}}
    again = ask(server, since=first.after, **other)
    assert len(list(again)) == 1
    assert again.extract == "full"
    assert "after" not in server.seen[-1].query


def test_records_without_a_readable_watermark_are_brought_in_and_told(serve, ask):
    rows = [{"id": str(i), "modified_on": moment(i)} for i in range(5)]
    rows[0]["modified_on"] = "2026-02-31T00:00:00+00:00"
    rows[1]["modified_on"] = "yesterday"
    del rows[2]["modified_on"]
    fetch = ask(serve(by_next(rows, size=10)), **RAPID)
    assert len(rows_in(fetch, "results")) == 5
    assert [(f.code, f.evidence["unreadable"]) for f in fetch.findings] == [("U052", 3)]
    assert fetch.after.mark == moment(4)


# 7. Secrets


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ({"token": "env:T"}, {"authorization": "Bearer s3cret-tok en/+"}),
        ({"token": "env:T", "prefix": "ApiToken"}, {"authorization": "ApiToken s3cret-tok en/+"}),
        ({"token": "env:T", "header": "X-Key"}, {"x-key": "s3cret-tok en/+"}),
        ({"user": "a", "password": "env:T"}, {"authorization": "Basic YTpzM2NyZXQtdG9rIGVuLys="}),
        ({"token": "env:T", "parameter": "api_key"}, {}),
    ],
)  # fmt: skip
def test_credentials_are_sent_and_written_down_nowhere(serve, ask, tmp_path, caplog, auth, sent):
    caplog.set_level(logging.DEBUG)
    script = by_next(ROWS, size=30)  # repeats the query, with the key, in its next URL
    server = serve(script)
    said: list[str] = []
    fetch = ask(
        server,
        records="results",
        paging=NEXT,
        auth=auth,
        env={"T": "s3cret-tok en/+"},
        tell=said.append,
    )
    assert rows_in(fetch, "results") == ROWS
    for seen in server.seen:
        assert sent.items() <= dict(seen.headers).items()
        if "parameter" in auth:
            assert seen.query["api_key"] == "s3cret-tok en/+"
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 4
    server.script = lambda _: Reply(401, b'{"detail": "s3cret"}')
    with pytest.raises(Qua3ckError) as told:
        list(ask(server, "/other", auth=auth, env={"T": "s3cret-tok en/+"}))
    assert told.value.code == "U137"
    assert "T" in told.value.fix.split()
    everything = "\n".join([*written, caplog.text, *said, str(told.value), repr(fetch.after)])
    assert "HTTP Request: GET" in caplog.text
    for form in ("s3cret", "YTpzM2NyZXQt"):
        assert form not in everything


@pytest.mark.parametrize("value", [None, "", "two\nlines", "bell\a"])
def test_a_variable_that_holds_no_secret_is_named(serve, ask, value):
    server = serve(by_link(ROWS, size=100))
    with pytest.raises(Qua3ckError, match="variable KOBO_TOKEN") as told:
        list(
            ask(
                server, auth={"token": "env:KOBO_TOKEN"}, env={"KOBO_TOKEN": value} if value else {}
            )
        )
    assert told.value.code == "U135"
    assert "two" not in str(told.value)
    assert server.seen == []


# 8. Page sizes and counts


def test_smaller_pages_than_asked_for_skip_nothing(serve, ask):
    server = serve(by_offset(ROWS, most=10))
    fetch = ask(
        server,
        records="results",
        count="count",
        paging={"style": "offset", "parameter": "start", "size": 30_000, "size_parameter": "limit"},
    )
    assert rows_in(fetch, "results") == ROWS
    assert server.seen[0].query == {"limit": "30000", "start": "0"}
    assert len(server.seen) == 10
    assert [(f.code, f.evidence["given"]) for f in fetch.findings] == [("U051", 10)]


def test_a_page_size_that_changes_on_the_way_is_noticed(serve, ask):
    def answer(seen: Seen) -> Reply:
        return by_number(ROWS, size=10 if len(server.seen) < 3 else 20)(seen)

    server = serve(answer)
    fetch = ask(server, records="items", paging=NUMBER)
    assert rows_in(fetch, "items") != ROWS
    assert "U050" in [finding.code for finding in fetch.findings]
    assert fetch.extract == "changes"


def test_fewer_rows_than_the_server_counts_are_not_loaded(serve, ask, tmp_path):
    def answer(seen: Seen) -> Reply:
        content = json.loads(by_number(ROWS, size=10)(seen).body)
        content["pager"]["total"] += 5
        return as_json(content)

    server = serve(answer)
    declared = {
        "records": "items",
        "count": "pager.total",
        "paging": NUMBER,
    }
    with pytest.raises(Qua3ckError, match="counts 100 records, 95 different ones came") as told:
        list(ask(server, **declared))
    assert told.value.code == "U141"
    server.script = by_number(ROWS, size=10)
    assert rows_in(ask(server, **declared), "items") == ROWS  # nothing wrong was kept


# 9. Bytes


def test_ids_and_decimals_arrive_as_they_were_sent(serve, ask):
    body = (
        b'{"results": [{"id": "007", "iso2": "NA", "amount": 0.10, "big": 12345678901234567890.10,'
        b' "text": "NO", "n\xc3\xa4me": "1e5", "nil": null}], "next": null}'
    )
    fetch = ask(serve(lambda _: as_json(body)), records="results", paging=NEXT)
    assert [piece.path.read_bytes() for piece in fetch] == [body]


# 10. Refusals, and where an answer may lead


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "U137"), (403, "U137"), (404, "U138"), (409, "U139"), (400, "U139"), (422, "U139")],
)
def test_a_refusal_is_not_asked_twice(serve, ask, time, status, code):
    body = b'{"errorCode": "E2000", "message": "Ada Lovelace, at least one org unit"}'
    server = serve(lambda _: Reply(status, body, {"content-type": "application/json"}))
    with pytest.raises(Qua3ckError, match=f"status {status}, E2000") as told:
        list(ask(server))
    assert told.value.code == code
    assert (len(server.seen), time.slept) == (1, [])
    assert "Ada" not in str(told.value)


def test_pages_that_go_in_circles_end(serve, ask):
    def answer(seen: Seen) -> Reply:
        number = int(seen.query.get("c", 0))
        return as_json({"items": [{"id": number, "n": len(server.seen)}], "c": (number + 1) % 4})

    server = serve(answer)
    with pytest.raises(Qua3ckError, match="page 5 leads back to page 2") as told:
        list(ask(server, records="items", paging=CURSOR | {"next": "c", "parameter": "c"}))
    assert told.value.code == "U141"


def test_a_server_that_ignores_the_page_number_is_noticed(serve, ask):
    server = serve(lambda _: as_json({"items": ROWS[:10]}))
    with pytest.raises(Qua3ckError, match="holds the same 10 records") as told:
        list(ask(server, records="items", paging={"style": "page", "parameter": "pagenumber"}))
    assert told.value.code == "U141"
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("content", "ends"),
    [
        ({"items": ROWS[:10]}, False),  # as many as wished for: there may be more
        ({"items": ROWS[:3]}, True),
        ({"items": ROWS[:3], "next": 5.5}, False),
    ],
)
def test_a_next_page_that_is_not_named_is_believed_only_on_a_short_page(serve, ask, content, ends):
    paging = CURSOR | {"next": "next", "size": 10, "size_parameter": "limit"}
    fetch = ask(serve(lambda _: as_json(content)), records="items", paging=paging)
    if ends:
        assert len(list(fetch)) == 1
        return
    with pytest.raises(Qua3ckError) as told:
        list(fetch)
    assert told.value.code == "U140"


def test_html_with_status_200_is_not_taken_for_an_answer(serve, ask):
    server = serve(lambda _: Reply(200, b"<html>Log in</html>", {"content-type": "text/html"}))
    with pytest.raises(Qua3ckError, match="an HTML page") as told:
        list(ask(server))
    assert told.value.code == "U140"
    assert len(server.seen) == 1


def test_an_answer_that_does_not_say_what_it_is_is_told_so(serve, ask):
    server = serve(lambda _: Reply(200, b"maintenance tonight", {}))
    with pytest.raises(Qua3ckError, match="is no JSON, and the server does not say what it is"):
        list(ask(server))


def test_nesting_without_end_is_no_crash(serve, ask):
    with pytest.raises(Qua3ckError) as told:
        list(ask(serve(lambda _: as_json(b"[" * 200_000))))
    assert told.value.code == "U140"


# Shapes that were recorded in the field


def recorded(folder: str) -> Path:
    if not (DATA / folder).is_dir():
        pytest.skip(f"the recorded answers of {folder} are not here")
    return DATA / folder


@pytest.mark.parametrize("endpoint", ["contacts", "runs", "messages", "flows", "archives"])
def test_recorded_answers_of_rapidpro_come_whole(serve, ask, endpoint):
    body = (recorded("rapidpro") / f"{endpoint}.json").read_bytes()
    truth = json.loads(body)["results"]
    fetch = ask(
        serve(lambda _: as_json(body)),
        records="results",
        paging=NEXT,
        auth={"token": "env:T", "prefix": "Token"},
        env={"T": "abc"},
    )
    pieces = list(fetch)
    assert pieces[0].path.read_bytes() == body
    assert rows_in(pieces, "results") == truth


def test_the_recorded_empty_answer_of_rapidpro_is_no_load(serve, ask):
    body = (recorded("rapidpro") / "empty.json").read_bytes()
    with pytest.raises(Qua3ckError, match="no record at all"):
        list(ask(serve(lambda _: as_json(body)), **RAPID))


def test_recorded_answers_of_dhis2_come_whole_and_a_401_is_named(serve, ask, tmp_path):
    folder = recorded("dhis2") / "responses" / "play.dhis2.org"
    values = next((folder / "40.0.1" / "api").glob("dataValueSets-*.json")).read_bytes()
    units = sorted((folder / "40.0.1" / "api").glob("organisationUnits*.json"))
    for body, records in [
        (values, "dataValues"),
        *((u.read_bytes(), "organisationUnits") for u in units),
    ]:
        truth = json.loads(body).get(records)
        if truth:
            fetch = ask(serve(lambda _, body=body: as_json(body)), records=records)
            assert rows_in(fetch, records) == truth
            forget(tmp_path)
    refused = (folder / "40" / "api" / "me.body").read_bytes()
    with pytest.raises(Qua3ckError, match="does not accept the credentials"):
        list(ask(serve(lambda _: Reply(401, refused, {"content-type": "application/xml"}))))
