"""What each event of the ledger says: one sentence, in English and in German.

What people wrote (a reason) stays as they wrote it, whatever the language of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from qua3ck.kit.markup import Html, join, tag
from qua3ck.transfer.texts import local

if TYPE_CHECKING:
    from qua3ck.ledger import Entry

_DIGEST = re.compile(r"[0-9a-f]{32,}")
_LONGEST = 40


class Own(str):
    """What a person wrote: never translated, and in a language that nobody knows."""

    __slots__ = ()


class Both(NamedTuple):
    """Words that differ by language and are no sentence of their own."""

    en: str
    de: str


class Part(NamedTuple):
    """A sentence of :data:`SENTENCES` with what is put into it; a count is an int."""

    key: str
    values: Mapping[str, Value]


Value: TypeAlias = "str | int | Own | Both | Part"


class Said(str):
    """What an event says, in English; :meth:`pieces` has it in each language."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Said:
        """Return parts as one text."""
        made = cls("".join(_written(parts, "en")))
        made.parts = tuple(parts)
        return made

    def html(self, lang: str) -> Html:
        """Return the text as markup, each piece marked that may be in another language."""
        told = join(
            *(
                tag("span", one, lang="") if isinstance(one, Own) else one
                for one in self.pieces(lang)
            )
        )
        plain = any(part.key == "plain" for part in self.parts)
        return tag("span", told, lang="en") if plain and lang != "en" else told

    def pieces(self, lang: str) -> tuple[str, ...]:
        """Return the text in pieces, so that those which people wrote (:class:`Own`) stand out."""
        return tuple(_written(self.parts, lang))


def told(entry: Entry) -> list[Part]:
    """Return what an event says; one that has no sentence is told by its plain facts."""
    tell = _TOLD.get(entry.event)
    if tell is not None:
        with suppress(KeyError):  # an older record may hold less than the sentence needs
            return list(tell(entry.subject, entry.body))
    return [_plain(entry)]


def waived(code: str, where: str, about: Mapping[str, Any], reason: str) -> Part:
    """Return a finding that was accepted: code, place, the first id of it, and why."""
    names = " ".join([code, where, *list(about.get("ids", ()))[:1]])
    return Part("waived", {"names": names, "reason": Own(reason)})


def _written(parts: Sequence[Part], lang: str) -> Iterator[str]:
    for part in parts:
        english, german = SENTENCES[part.key]
        for words, name, _, _ in Formatter().parse(german if lang == "de" else english):
            if words:
                yield words
            if name:
                yield from _filled(part.values[name], lang)


def _filled(value: Value, lang: str) -> Iterator[str]:
    if isinstance(value, Part):
        yield from _written([value], lang)
    elif isinstance(value, Both):
        yield value.de if lang == "de" else value.en
    elif isinstance(value, int):
        yield local(f"{value:,}", lang)
    else:
        yield value


def _plain(entry: Entry) -> Part:
    facts = [
        f"{key} {_short(value)}"
        for key, value in entry.body.items()
        if isinstance(value, str | int) and value not in ("", entry.subject)
    ]
    subject = _short(entry.subject)
    return Part("plain", {"facts": f"{subject}: {', '.join(facts)}" if facts else subject})


def _short(value: object) -> str:
    """Return a value as it fits a line; of a digest the first twelve digits."""
    text = str(value)
    if _DIGEST.fullmatch(text):
        return text[:12]
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


SENTENCES: Mapping[str, tuple[str, str]] = {
    "plain": ("{facts}", "{facts}"),
    "waived": ("{names} ({reason})", "{names} ({reason})"),
    # -- the project, its people and keys ---------------------------------------
    "created": (
        'the project "{name}" begins, as {id}, in format {form}',
        "das Projekt „{name}“ beginnt, als {id}, im Format {form}",
    ),
    "enrolled": ("{name} as {roles}", "{name} als {roles}"),
    "no_role": ("{name} without a role", "{name} ohne Rolle"),
    "other_key": ("; KEY REPLACED by {who}", "; SCHLÜSSEL ERSETZT durch {who}"),
    "key": ("API key {id} of {name}", "API-Schlüssel {id} von {name}"),
    "key_for": (
        "API key {id} of {name} for {scopes}",
        "API-Schlüssel {id} von {name} für {scopes}",
    ),
    "finished": (
        "a crash had left event {seq} half recorded; it is whole now",
        "ein Absturz hatte Ereignis {seq} halb verzeichnet hinterlassen; nun ist es ganz",
    ),
    "cut": (
        "a crash had left {bytes} bytes of event {seq} that were never signed; they were cut off",
        "ein Absturz hatte {bytes} Bytes von Ereignis {seq} hinterlassen, die nie unterschrieben"
        " waren; sie wurden abgeschnitten",
    ),
    "set_back": (
        "set back to {events} events, to the backup {backup}; a witness had seen {seen}: {reason}",
        "zurückgesetzt auf {events} Ereignisse, auf die Sicherung {backup}; ein Zeuge hatte {seen}"
        " gesehen: {reason}",
    ),
    "backup": (
        "{name}: {files} files, {bytes} bytes, in {place}",
        "{name}: {files} Dateien, {bytes} Bytes, in {place}",
    ),
    "rehearsed": (
        "{name} was restored elsewhere and compared: {files} files, {events} events",
        "{name} wurde an anderer Stelle zurückgeholt und verglichen: {files} Dateien, {events}"
        " Ereignisse",
    ),
    # -- the question ------------------------------------------------------------
    "question": ("promises {promises}", "Zusagen {promises}"),
    "after_verdicts": (
        ", AFTER {n} verdict(s) had been seen",
        "; NACHDEM {n} Urteile bekannt waren",
    ),
    "openings": (
        "the seal may be opened {m} time(s)",
        "das Siegel darf {m}-mal geöffnet werden",
    ),
    "openings_before": (", before that {before}", ", zuvor {before}-mal"),
    # -- the data ----------------------------------------------------------------
    "loaded": ("{table} version {version}", "{table}, Version {version}"),
    "loaded.loaded": (", {n} loaded", ", {n} geladen"),
    "loaded.held": (", {n} held", ", {n} zurückgehalten"),
    "loaded.rows": (", {n} rows", ", {n} Zeilen"),
    "loaded.digest": (", content {digest}", ", Inhalt {digest}"),
    "accepted": (
        "{source}: {who} accepts {code} for {what}: {reason}",
        "{source}: {who} nimmt {code} hin, für {what}: {reason}",
    ),
    "answered": (
        "{source}: {n} of {open} open questions answered",
        "{source}: {n} von {open} offenen Fragen beantwortet",
    ),
    "made": (
        "{name}: {rows} rows, as version {version} of {table}, content {digest}",
        "{name}: {rows} Zeilen, als Version {version} von {table}, Inhalt {digest}",
    ),
    "restored": (
        "{name} is again as in version {to}; that is version {version} now",
        "{name} ist wieder wie in Version {to}; das ist nun Version {version}",
    ),
    "removed": (
        "earlier versions of {tables}: {bytes} bytes; kept is what was so since {day}",
        "frühere Versionen von {tables}: {bytes} Bytes; behalten ist, was seit dem {day} galt",
    ),
    "shown": (
        "{rows} rows of {table} with columns that a contract classifies: {columns}",
        "{rows} Zeilen von {table} mit Spalten, die ein Vertrag schützt: {columns}",
    ),
    "published": ("{tables}", "{tables}"),
    "left_out": ("; left out: {names}", "; weggelassen: {names}"),
    "features": ("{tables}", "{tables}"),
    "as_of": ("; as of {moment}", "; Stand {moment}"),
    "sealed": ("{rows} rows sealed as {seal}", "{rows} Zeilen versiegelt als {seal}"),
    "steward": (", key wrapped to {who}", ", der Schlüssel verschlossen für {who}"),
    # -- search and verdict --------------------------------------------------------
    "stopped": ("rules that hold: {rules}", "Regeln, die zutreffen: {rules}"),
    "kept": ("algorithm {algorithm}", "Verfahren {algorithm}"),
    "kept.format": (", format {form}", ", Format {form}"),
    "kept.trials": (", {n} trials", ", {n} Versuche"),
    "kept.snapshot": ("; snapshot {snapshot}", "; Datenstand {snapshot}"),
    "opened": ("opening {k}", "Öffnung {k}"),
    "opened.of": (" of {m}", " von {m}"),
    "opened.for": (" for candidate {candidate}", " für Kandidat {candidate}"),
    "opened.rows": (", {rows} rows", ", {rows} Zeilen"),
    "reread": (
        "read again for the same candidate {candidate}; no opening used",
        "für denselben Kandidaten {candidate} erneut gelesen; keine Öffnung verbraucht",
    ),
    "allowed": (
        "candidate {candidate} may be released",
        "Kandidat {candidate} darf freigegeben werden",
    ),
    "not_allowed": (
        "candidate {candidate} may not be released",
        "Kandidat {candidate} darf nicht freigegeben werden",
    ),
    # -- versions ------------------------------------------------------------------
    "released": (
        "version {version} of candidate {candidate}, opening {opening}, {form}, digest {digest}",
        "Version {version} aus Kandidat {candidate}, Öffnung {opening}, {form}, Prüfsumme {digest}",
    ),
    "accepts": ("; {who} accepts {first}", "; {who} nimmt hin: {first}"),
    "accepts.more": (", {next}", ", {next}"),
    "scan_changed": (
        "; {file} is not the released one, so what was accepted with it is not known",
        "; {file} ist nicht die freigegebene, darum ist nicht bekannt, was mit ihr"
        " hingenommen wurde",
    ),
    "accepted_later": (
        "for version {version}, after it was made: {waived}, which {heavy}",
        "für Version {version}, nachdem sie gemacht war: {waived}; das {heavy}",
    ),
    "registered": (
        "release {version}: name {name}, registered {number}, version {version}",
        "Version {version}: registriert als {name} {number}",
    ),
    "registered.again": (
        ", again: the registry had lost it",
        ", erneut: Die Registry hatte sie verloren",
    ),
    "signs.for": (
        "{who} signs for version {version}: {reason}",
        "{who} unterschreibt für Version {version}: {reason}",
    ),
    "signs.against": (
        "{who} signs AGAINST version {version}: {reason}",
        "{who} unterschreibt gegen Version {version}: {reason}",
    ),
    "asks.for": (
        "{who} signs for the question ({promises}){late}: {reason}",
        "{who} unterschreibt für die Frage ({promises}){late}: {reason}",
    ),
    "asks.against": (
        "{who} signs AGAINST the question ({promises}){late}: {reason}",
        "{who} unterschreibt gegen die Frage ({promises}){late}: {reason}",
    ),
    "asks.late": (
        ", AFTER {n} opening(s)",
        ", NACHDEM schon geöffnet worden war, {n}-mal",
    ),
    "with_other_key": (
        "; with a key that {who} put in place of another",
        "; mit einem Schlüssel, den {who} an die Stelle eines anderen gesetzt hat",
    ),
    "refused": (
        "version {version} to {alias} refused by {gates}",
        "Version {version} als {alias} verweigert durch: {gates}",
    ),
    "same": (
        "version {version} came out the same",
        "Version {version} kam beim Nachbau gleich heraus",
    ),
    "differs": (
        "version {version} DIFFERS: {what}",
        "Version {version} WEICHT beim Nachbau AB: {what}",
    ),
    # -- in use --------------------------------------------------------------------
    "moved": (
        "{alias}: {before} -> version {version} ({kind}{steps}): {reason}",
        "{alias}: {before} → Version {version}, {kind}{steps}: {reason}",
    ),
    "moved.steps": (", by steps of {steps} %", " in Schritten von {steps} %"),
    "stepped": (
        "version {version}: from {share} % to {to} %",
        "Version {version}: von {share} % auf {to} %",
    ),
    "halted": (
        "version {version} stopped at {share} %, back to version {back_to}: {why} ",
        "Version {version} bei {share} % gestoppt, zurück zu Version {back_to}: {why} ",
    ),
    "halted.count": (
        "{bad} of {n}, before {worse} of {m}",
        "{bad} von {n}, zuvor {worse} von {m}",
    ),
    "halted.error": (
        "mean error {bad} over {n}, before {worse} over {m}",
        "mittlerer Fehler {bad} über {n}, zuvor {worse} über {m}",
    ),
    "cut_short": (
        "the rollout that began with event {rollout}: {why}",
        "die Einführung, die mit Ereignis {rollout} begann: {why}",
    ),
    "off": ("the model is switched off: {reason}", "das Modell ist abgeschaltet: {reason}"),
    "on": ("the model answers again: {reason}", "das Modell antwortet wieder: {reason}"),
    "tried": (
        "version {version} was tried as it would serve: {word}",
        "Version {version} wurde erprobt, wie sie liefe: {word}",
    ),
    "tried.load": (
        "; at {connections} connection(s) 99 of 100 answers within {p99} ms",
        "; bei {connections} Verbindung(en) 99 von 100 Antworten binnen {p99} ms",
    ),
    "tried.bad": (
        ", {errors} errors and {wrong} wrong answers",
        ", {errors} Fehler und {wrong} falsche Antworten",
    ),
    "predicted": (
        "{predicted} of {rows} rows of {source} answered by version {version}, written to {to}",
        "{predicted} von {rows} Zeilen aus {source} von Version {version} beantwortet, geschrieben"
        " nach {to}",
    ),
    "predicted.off": (
        "; although event {seq} had switched the model off",
        "; obwohl Ereignis {seq} das Modell abgeschaltet hatte",
    ),
    "predicted.held": ("; {n} held", "; {n} zurückgehalten"),
    "predicted.outside": (
        "; {n} answered that lie outside of what was seen in training",
        "; {n} davon liegen außerhalb dessen, was im Training vorkam",
    ),
}

_Told: TypeAlias = Iterator[Part]


def _created(subject: str, body: Mapping[str, Any]) -> _Told:
    yield Part("created", {"name": subject, "id": body["id"], "form": str(body["format"])})


def _enrolled(subject: str, body: Mapping[str, Any]) -> _Told:
    roles = ", ".join(body["roles"])
    yield Part("enrolled" if roles else "no_role", {"name": subject, "roles": roles})


def _key(_: str, body: Mapping[str, Any]) -> _Told:
    said = {"id": body["id"], "name": body["name"]}
    if "scopes" in body:
        yield Part("key_for", {**said, "scopes": ", ".join(body["scopes"])})
    else:
        yield Part("key", said)


def _repaired(_: str, body: Mapping[str, Any]) -> _Told:
    seq = str(body["seq"])
    if body["did"] == "finished":
        yield Part("finished", {"seq": seq})
    else:
        yield Part("cut", {"seq": seq, "bytes": body["bytes"]})


def _set_back(_: str, body: Mapping[str, Any]) -> _Told:
    seen = max((one["events"] for one in body["seen"]), default=0)
    said = {"events": body["events"], "backup": body["backup"], "seen": seen}
    yield Part("set_back", {**said, "reason": Own(body["reason"])})


def _backup(subject: str, body: Mapping[str, Any]) -> _Told:
    folder = body["place"] == "a folder"
    place = Both("a folder", "einem Ordner") if folder else body["place"]
    said = {"name": subject, "files": body["files"], "bytes": body["bytes"], "place": place}
    yield Part("backup", said)


def _rehearsed(subject: str, body: Mapping[str, Any]) -> _Told:
    said = {"name": subject, "files": body["files"], "events": body["events"]}
    yield Part("rehearsed", said)


def _question_set(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("question", {"promises": _promises(body)})
    if after := body.get("after_verdicts"):
        yield Part("after_verdicts", {"n": len(after)})


def _promises(kept: Mapping[str, Any]) -> Both:
    """Return all that was promised; what an older record does not hold is left out."""
    from qua3ck.question.promises import NOT_DECLARED, NOT_THEN, as_written
    from qua3ck.transfer.german import promise_words

    all_ = as_written(kept).items()
    told = [(name, said) for name, said in all_ if said not in {NOT_DECLARED, NOT_THEN, ""}]
    german = [promise_words(name, said) for name, said in told]
    return Both(*("; ".join(f"{name}: {said}" for name, said in one) for one in (told, german)))


def _openings(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("openings", {"m": body["m"]})
    if body.get("from") is not None:
        yield Part("openings_before", {"before": body["from"]})


def _loaded(_: str, body: Mapping[str, Any]) -> _Told:
    table = body.get("table", Both("rows", "Zeilen"))
    yield Part("loaded", {"table": table, "version": str(body.get("version", "?"))})
    for key in ("loaded", "held", "rows"):
        if key in body:
            yield Part(f"loaded.{key}", {"n": body[key]})
    if "digest" in body:
        yield Part("loaded.digest", {"digest": str(body["digest"])[:12]})


def _accepted(subject: str, body: Mapping[str, Any]) -> _Told:
    said = {"source": subject, "who": body["by"], "code": body["code"]}
    what = ", ".join(map(_short, body["for"]))
    yield Part("accepted", {**said, "what": what, "reason": Own(body["reason"])})


def _answered(subject: str, body: Mapping[str, Any]) -> _Told:
    yield Part("answered", {"source": subject, "n": body["answers"], "open": body["open"]})


def _made(subject: str, body: Mapping[str, Any]) -> _Told:
    said = {"table": body["table"], "version": str(body["version"]), "digest": body["digest"][:12]}
    yield Part("made", {**said, "name": subject, "rows": body["rows"]})


def _restored(subject: str, body: Mapping[str, Any]) -> _Told:
    said = {"to": str(body["to"]), "version": str(body["version"])}
    yield Part("restored", {**said, "name": subject})


def _removed(_: str, body: Mapping[str, Any]) -> _Told:
    said = {"tables": body["tables"], "bytes": body["bytes"]}
    yield Part("removed", {**said, "day": _moment(body["kept_since"])})


def _shown(subject: str, body: Mapping[str, Any]) -> _Told:
    columns = ", ".join(body["columns"])
    yield Part("shown", {"table": subject, "rows": body["rows"], "columns": columns})


def _published(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("published", {"tables": _with_rows(body["rows"])})
    if body["left_out"]:
        yield Part("left_out", {"names": ", ".join(map(str, body["left_out"]))})


def _features(_: str, body: Mapping[str, Any]) -> _Told:
    rows = {name: one["rows"] for name, one in body["tables"].items()}
    yield Part("features", {"tables": _with_rows(rows)})
    if body["as_of"]:
        yield Part("as_of", {"moment": _moment(body["as_of"])})


def _with_rows(tables: Mapping[str, int]) -> Both:
    """Return tables with how many rows each has."""
    english = ", ".join(f"{name} with {rows:,} rows" for name, rows in tables.items())
    german = ", ".join(
        f"{name} mit {local(f'{rows:,}', 'de')} Zeilen" for name, rows in tables.items()
    )
    return Both(english or "no table", german or "keine Tabelle")


def _moment(at: str) -> Both:
    from qua3ck.transfer.texts import moment

    return Both(f"{moment(at)} UTC", f"{moment(at, 'de')} UTC")


def _sealed(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("sealed", {"rows": body.get("rows", "?"), "seal": body.get("seal", "?")})
    if body.get("steward"):
        yield Part("steward", {"who": body["steward"]})


def _stopped(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("stopped", {"rules": "; ".join(body["rules"])})


def _kept(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("kept", {"algorithm": body.get("algorithm", "?")})
    if "format" in body:
        yield Part("kept.format", {"form": body["format"]})
    if "trials" in body:
        yield Part("kept.trials", {"n": body["trials"]})
    yield Part("kept.snapshot", {"snapshot": str(body.get("snapshot", ""))[:12]})


def _opened(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("opened", {"k": str(body.get("k", "?"))})
    if "m" in body:
        yield Part("opened.of", {"m": str(body["m"])})
    yield Part("opened.for", {"candidate": _candidate(body)})
    if "rows" in body:
        yield Part("opened.rows", {"rows": body["rows"]})


def _reread(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("reread", {"candidate": _candidate(body)})


def _judged(_: str, body: Mapping[str, Any]) -> _Told:
    allowed = body.get("release_allowed") is True
    yield Part("allowed" if allowed else "not_allowed", {"candidate": _candidate(body)})


def _candidate(body: Mapping[str, Any]) -> str:
    return str(body.get("candidate", ""))[:12]


def _released(_: str, body: Mapping[str, Any]) -> _Told:
    said = {"version": str(body["version"]), "opening": str(body["opening"])}
    more = {"form": body["model_format"], "digest": body["digest"][:12]}
    yield Part("released", {**said, **more, "candidate": _candidate(body)})


def _registered(_: str, body: Mapping[str, Any]) -> _Told:
    said = {"name": body["name"], "number": str(body["registered"])}
    yield Part("registered", {**said, "version": str(body["version"])})
    if body.get("again"):
        yield Part("registered.again", {})


def _security_accepted(_: str, body: Mapping[str, Any]) -> _Told:
    blocks = body["severity"] == "block"
    heavy = Both("blocks", "hält auf") if blocks else Both("does not block", "hält nicht auf")
    one = waived(body["code"], body["where"], body, body["reason"])
    yield Part("accepted_later", {"version": str(body["version"]), "waived": one, "heavy": heavy})


def _signed(_: str, body: Mapping[str, Any]) -> _Told:
    word = "for" if body["decision"] == "approve" else "against"
    said: dict[str, Value] = {"who": body["approver"], "reason": Own(body["reason"])}
    if "version" in body:
        yield Part(f"signs.{word}", {**said, "version": str(body["version"])})
        return
    statement = body["signed"]["statement"]
    opened = statement["opened"]
    late: Value = Part("asks.late", {"n": opened}) if opened else ""
    promises = _promises(statement["promises"])
    yield Part(f"asks.{word}", {**said, "promises": promises, "late": late})


def _refused(_: str, body: Mapping[str, Any]) -> _Told:
    gates = ", ".join(name for name, answer in body["gates"].items() if answer != "pass")
    said = {"version": str(body["version"]), "alias": body["alias"], "gates": gates}
    yield Part("refused", said)


def _reproduced(_: str, body: Mapping[str, Any]) -> _Told:
    version = str(body["version"])
    if body["same"]:
        yield Part("same", {"version": version})
    else:
        yield Part("differs", {"version": version, "what": "; ".join(body["differences"])})


def _moved(_: str, body: Mapping[str, Any]) -> _Told:
    nowhere = Both("nowhere", "bisher keine")
    before = Both(f"version {body['from']}", f"Version {body['from']}")
    steps = body.get("steps")
    by: Value = Part("moved.steps", {"steps": ", ".join(map(str, steps))}) if steps else ""
    german = {"promote": "in Einsatz genommen", "rollback": "zurückgenommen"}
    yield Part(
        "moved",
        {
            "alias": body["alias"],
            "before": nowhere if body["from"] is None else before,
            "version": str(body["version"]),
            "kind": Both(body["kind"], german.get(body["kind"], body["kind"])),
            "steps": by,
            "reason": Own(body["reason"]),
        },
    )


def _stepped(_: str, body: Mapping[str, Any]) -> _Told:
    said = {"share": str(body["at_share"]), "to": str(body["share"])}
    yield Part("stepped", {**said, "version": str(body["version"])})


_WATCHED = {
    "errors": "Fehler",
    "outcomes": "Ergebnisse",
    "refusals": "Ablehnungen",
    "slow": "langsame Antworten",
    "replaced by another move": "durch einen anderen Wechsel ersetzt",
}


def _halted(_: str, body: Mapping[str, Any]) -> _Told:
    why = Both(body["why"], _WATCHED.get(body["why"], body["why"]))
    if "version" not in body:
        yield Part("cut_short", {"rollout": str(body["rollout"]), "why": why})
        return
    said = {"share": str(body["at_share"]), "back_to": str(body["back_to"])}
    yield Part("halted", {**said, "version": str(body["version"]), "why": why})
    seen = body["seen"][body["why"]]
    (n, bad), (m, worse) = seen["canary"], seen["champion"]
    figures: dict[str, Value] = {"n": n, "m": m, "bad": _figure(bad), "worse": _figure(worse)}
    yield Part("halted.error" if "error" in seen else "halted.count", figures)


def _figure(value: str | int) -> Value:
    return value if isinstance(value, int) else Both(value, local(value, "de"))


def _off(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("off", {"reason": Own(body["reason"])})


def _on(_: str, body: Mapping[str, Any]) -> _Told:
    yield Part("on", {"reason": Own(body["reason"])})


_VERDICTS = {
    "pass": "bestanden",
    "fail": "nicht bestanden",
    "undecided": "unentschieden",
    "not applicable": "nicht anwendbar",
}


def _tried(_: str, body: Mapping[str, Any]) -> _Told:
    word = Both(body["verdict"], _VERDICTS.get(body["verdict"], body["verdict"]))
    yield Part("tried", {"version": str(body["version"]), "word": word})
    for load in body["loads"]:
        if load["p99_ms"] is not None:
            said = {"connections": load["connections"], "p99": _figure(load["p99_ms"])}
            yield Part("tried.load", said)
        if load["errors"] or load["wrong"]:
            yield Part("tried.bad", {"errors": load["errors"], "wrong": load["wrong"]})


def _predicted(subject: str, body: Mapping[str, Any]) -> _Told:
    alias = f" ({body['alias']})" if body.get("alias") else ""
    said = {"source": body["source"], "version": f"{body['version']}{alias}", "to": subject}
    yield Part("predicted", {**said, "predicted": body["predicted"], "rows": body["rows"]})
    if body.get("while_off") is not None:
        yield Part("predicted.off", {"seq": str(body["while_off"])})
    if body["held"]:
        yield Part("predicted.held", {"n": body["held"]})
    if body["strange"]:
        yield Part("predicted.outside", {"n": body["strange"]})


_TOLD: Mapping[str, Callable[[str, Mapping[str, Any]], _Told]] = {
    "project.created": _created,
    "person.enrolled": _enrolled,
    "key.added": _key,
    "key.revoked": _key,
    "ledger.repaired": _repaired,
    "ledger.set_back": _set_back,
    "backup.made": _backup,
    "backup.rehearsed": _rehearsed,
    "question.set": _question_set,
    "openings.declared": _openings,
    "source.loaded": _loaded,
    "load.accepted": _accepted,
    "quarantine.answered": _answered,
    "table.made": _made,
    "table.restored": _restored,
    "history.removed": _removed,
    "personal.shown": _shown,
    "tables.published": _published,
    "features.written": _features,
    "seal.made": _sealed,
    "seal.opened": _opened,
    "seal.reread": _reread,
    "loop.stopped": _stopped,
    "candidate.kept": _kept,
    "verdict.made": _judged,
    "release.made": _released,
    "release.registered": _registered,
    "security.accepted": _security_accepted,
    "approval.given": _signed,
    "approval.refused": _signed,
    "promotion.refused": _refused,
    "reproduction.made": _reproduced,
    "alias.moved": _moved,
    "canary.stepped": _stepped,
    "canary.stopped": _halted,
    "serving.off": _off,
    "serving.on": _on,
    "serving.tried": _tried,
    "predictions.made": _predicted,
}
EVENTS = frozenset(_TOLD)
