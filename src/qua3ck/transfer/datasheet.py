"""The datasheet of a version's data: seven headings, filled with what is on record.

What is not on record is said, with what to type; nothing is made up. No value of a row is in
it: counts by class, and by group of a sensitive column, only from the profile's least number
of rows on.
Source: T. Gebru et al. (2021), Datasheets for Datasets, Commun. ACM 64 (12), 86-92.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from qua3ck.transfer.facts import Facts
from qua3ck.transfer.markdown import plain, table
from qua3ck.transfer.pieces import (
    count,
    finding_title,
    moment_words,
    native,
)
from qua3ck.transfer.report import misuse
from qua3ck.transfer.texts import text
from qua3ck.understand.profiling import LEAST_SHOWN

if TYPE_CHECKING:
    from qua3ck.transfer.sheet import AgreedFacts, MadeFacts, Sheet, SourceFacts

DATASHEET = "datasheet.md"
_WHO = ("owner", "licence", "cadence", "contact")
Line = tuple[str, str]


def render(facts: Facts, sheet: Sheet) -> str:
    """Return the datasheet as Markdown; the same facts give the same bytes."""
    say = partial(text, lang=facts.lang)
    makers = {
        "sheet.motivation": _motivation,
        "sheet.composition": _composition,
        "sheet.collection": _collection,
        "sheet.preprocessing": _preprocessing,
        "sheet.uses": _uses,
        "sheet.distribution": _distribution,
        "sheet.maintenance": _maintenance,
    }
    parts = [
        f"# {plain(say('sheet.title', project=facts.project, version=facts.version))}",
        say("sheet.intro", least=LEAST_SHOWN),
    ]
    for key, maker in makers.items():
        parts += [f"## {say(key)}", *maker(facts, sheet)]
    return "\n\n".join(parts) + "\n"


def _motivation(facts: Facts, sheet: Sheet) -> list[str]:
    say, question = partial(text, lang=facts.lang), facts.question
    owner = question.roles.owner or _absent(facts, "question.roles.owner")
    lines = [
        (say("sheet.purpose"), f"{question.asks} {question.decides}"),
        (say("sheet.why_now"), question.why_now),
        (say("sheet.brought_by"), owner),
    ]
    lines += _from_contracts(facts, sheet, "sheet.first_purpose", "purpose")
    return [_listed(lines)]


def _composition(facts: Facts, sheet: Sheet) -> list[str]:
    say, snapshot, split = partial(text, lang=facts.lang), facts.snapshot, facts.snapshot.split
    rows = say(
        "sheet.rows.says",
        rows=count(facts, split.rows_train + split.rows_test + split.left_out),
        train=count(facts, split.rows_train),
        test=count(facts, split.rows_test),
        left_out=count(facts, split.left_out),
    )
    gold = say(
        "sheet.gold.says",
        table=snapshot.gold.table,
        version=snapshot.gold.version,
        digest=snapshot.gold.digest,
    )
    seal = say(
        "sheet.seal.says",
        seal=snapshot.seal,
        opening=facts.conclusion.opening,
        openings=facts.conclusion.openings,
    )
    lines = [
        *_from_contracts(facts, sheet, "sheet.row", "row"),
        (say("sheet.rows"), rows),
        *_classes(facts, sheet),
        (say("sheet.together"), _together(facts)),
        *_sensitive(facts, sheet),
        *_personal(facts, sheet),
        (say("sheet.found"), _found(facts)),
        (say("sheet.snapshot"), snapshot.id),
        (say("sheet.gold"), gold),
        (say("sheet.split"), _split(facts)),
        (say("sheet.seal"), seal),
    ]
    return [_listed(lines), f"**{say('sheet.columns')}**", _columns(facts, sheet)]


def _collection(facts: Facts, sheet: Sheet) -> list[str]:
    say = partial(text, lang=facts.lang)
    heads = ("source", *_WHO, "loaded", "version", "rows", "held", "digest")
    named = [say(f"sheet.{head}") for head in heads]
    rows = [_source_row(facts, source) for source in sheet.sources]
    open_ones = [
        (f"{say(f'sheet.{word}')}: {source.name}", _absent(facts, _path(source, word)))
        for source in sheet.sources
        for word in _WHO
        if not _said(source, word)
    ]
    open_ones += [
        (f"{say('sheet.held')}: {source.name}", _not_known(facts, say("sheet.cure.load")))
        for source in sheet.sources
        if source.held is None
    ]
    chosen = _from_contracts(facts, sheet, "sheet.sampling", "limitations")
    parts = [table(named, rows)]
    if open_ones:
        parts += [f"**{say('sheet.to_write')}**", _listed(open_ones)]
    return [*parts, _listed(chosen)]


def _preprocessing(facts: Facts, sheet: Sheet) -> list[str]:
    say, snapshot = partial(text, lang=facts.lang), facts.snapshot
    lines = [(say("sheet.training"), _training(facts, sheet))]
    lines += [(say("sheet.made", name=one.name), _made(facts, one)) for one in sheet.made]
    lines += [
        (say("sheet.left_out", column=column.name), native(facts, column.why))
        for column in snapshot.columns
        if column.role == "left_out"
    ]
    for source in sheet.sources:
        label = say("sheet.quality.contract", source=source.name)
        lines.append((label, _contract(facts, source)))
        if not source.quality:
            lines.append((f"{say('sheet.quality')}: {source.name}", say("sheet.no_quality")))
    parts = [_listed(lines)]
    if any(source.quality for source in sheet.sources):
        heads = ("source", "dimension", "looked_at", "failing")
        scores = table([say(f"sheet.{head}") for head in heads], _scores(facts, sheet))
        parts += [f"**{say('sheet.quality')}**", scores]
    return parts


def _uses(facts: Facts, sheet: Sheet) -> list[str]:
    say, question = partial(text, lang=facts.lang), facts.question
    lines = [(say("sheet.used_for"), question.decides)]
    lines += [(say("sheet.not_for"), words) for words in misuse(facts)]
    lines += _from_contracts(facts, sheet, "sheet.usage", "usage")
    lines += _from_contracts(facts, sheet, "sheet.limitations", "limitations")
    lines.append((say("sheet.risks"), question.risks))
    lines += [(say("sheet.risks"), native(facts, risk)) for risk in facts.conclusion.risks]
    return [_listed(lines)]


def _distribution(facts: Facts, sheet: Sheet) -> list[str]:
    say = partial(text, lang=facts.lang)
    lines = [
        (
            say("sheet.terms", source=source.name),
            _said(source, "licence") or _absent(facts, _path(source, "licence")),
        )
        for source in sheet.sources
    ]
    return [_listed([*lines, (say("sheet.handed_on"), say("sheet.handed_on.says"))])]


def _maintenance(facts: Facts, sheet: Sheet) -> list[str]:
    say = partial(text, lang=facts.lang)
    lines = []
    for source in sheet.sources:
        contact = _said(source, "contact") or _absent(facts, _path(source, "contact"))
        lines.append((say("sheet.who", source=source.name), contact))
        cadence = _said(source, "cadence") or _absent(facts, _path(source, "cadence"))
        often = say("sheet.how_often.says", cadence=cadence, n=source.loads)
        lines.append((say("sheet.how_often", source=source.name), often))
    steward = facts.question.roles.steward or say("sheet.steward.none")
    lines.append((say("sheet.steward"), steward))
    lines.append((say("sheet.newer"), say("sheet.newer.says")))
    return [_listed(lines)]


def _listed(lines: Iterable[Line]) -> str:
    return "\n".join(f"- **{plain(name)}:** {plain(value)}" for name, value in lines)


def _absent(facts: Facts, what: str) -> str:
    """Return that something is not on record, and where in the project file it belongs."""
    return _not_known(facts, text("sheet.cure.file", facts.lang, what=f"{what}: ..."))


def _not_known(facts: Facts, cure: str) -> str:
    return text("sheet.absent", facts.lang, cure=cure)


def _said(source: SourceFacts, word: str) -> str:
    return str(getattr(source.declared, word)) if source.declared else ""


def _path(source: SourceFacts, word: str) -> str:
    return f"understand.sources.{source.name}.{word}"


def _from_contracts(facts: Facts, sheet: Sheet, key: str, word: str) -> list[Line]:
    """Return what each source's contract says in words under one of its keys."""
    lines = []
    for source in sheet.sources:
        said = _in_contract(source.agreed, word)
        label = text(key, facts.lang, source=source.name)
        lines.append((label, said or _not_known(facts, _to_agree(facts, source, word))))
    return lines


def _in_contract(agreed: AgreedFacts | None, word: str) -> str:
    return str(getattr(agreed, word)) if agreed else ""


def _to_agree(facts: Facts, source: SourceFacts, word: str) -> str:
    """Return what to type so that the contract says it."""
    where = f"description.{word}" if word != "row" else f"schema.{source.name}.description"
    if source.agreed is None:
        return text("sheet.cure.no_contract", facts.lang, source=source.name, what=where)
    return text("sheet.cure.contract", facts.lang, path=source.agreed.path, what=where)


def _classes(facts: Facts, sheet: Sheet) -> Iterator[Line]:
    if not facts.snapshot.classes:
        return
    counts = sheet.profile.get("classes", {})
    label = text("sheet.classes", facts.lang)
    yield label, _counted(facts, counts) if counts else _no_profile(facts)


def _no_profile(facts: Facts) -> str:
    return _not_known(facts, text("sheet.cure.again", facts.lang))


def _counted(facts: Facts, counts: Mapping[str, int]) -> str:
    """Return groups with their rows; those that are too small by their number alone."""
    shown = {name: rows for name, rows in counts.items() if rows >= LEAST_SHOWN}
    words = [f"{name} {count(facts, rows)}" for name, rows in sorted(shown.items())]
    few = sum(1 for rows in counts.values() if 0 < rows < LEAST_SHOWN)
    if few:
        words.append(f"{few}: {text('sheet.few', facts.lang, least=LEAST_SHOWN)}")
    return ", ".join(words)


def _together(facts: Facts) -> str:
    names = [c.name for c in facts.snapshot.columns if c.role in {"entity", "group", "time"}]
    names += [n for n in (facts.snapshot.cluster, facts.snapshot.time) if n and n not in names]
    if not names:
        return text("sheet.none", facts.lang)
    return text("sheet.together.says", facts.lang, columns=", ".join(names))


def _sensitive(facts: Facts, sheet: Sheet) -> Iterator[Line]:
    columns = [column for column in facts.snapshot.columns if column.role == "sensitive"]
    if not columns:
        yield text("sheet.sensitive.none", facts.lang), text("sheet.none", facts.lang)
    for column in columns:
        about = sheet.profile.get("columns", {}).get(column.name, {})
        groups = about.get("top", {}) if column.kind in {"category", "bool"} else {}
        said = _no_profile(facts) if not about else column.kind
        if groups:
            listed = [_counted(facts, groups), *_others(facts, about.get("other", 0))]
            said = text("sheet.groups", facts.lang, groups=", ".join(listed))
        yield text("sheet.sensitive", facts.lang, column=column.name), said


def _others(facts: Facts, rows: int | str) -> list[str]:
    """Return the rows of groups that the profile does not name."""
    if not rows:
        return []
    few = isinstance(rows, str) or rows < LEAST_SHOWN
    number = text("sheet.few", facts.lang, least=LEAST_SHOWN) if few else count(facts, int(rows))
    return [f"… {number}"]


def _personal(facts: Facts, sheet: Sheet) -> Iterator[Line]:
    for source in sheet.sources:
        label = text("sheet.personal", facts.lang, source=source.name)
        if source.agreed is None:
            cure = text(
                "sheet.cure.no_contract", facts.lang, source=source.name, what="classification"
            )
            yield label, _not_known(facts, cure)
            continue
        none = text("sheet.unclassified", facts.lang)
        counted = source.agreed.classified.items()
        yield label, ", ".join(f"{name or none}: {number}" for name, number in counted)


def _found(facts: Facts) -> str:
    listed = [f for f in facts.snapshot.findings if f.severity != "inform"]
    said = [f"{f.code} ({f.where}): {finding_title(facts, f)}" for f in listed]
    return " ".join(said) or text("sheet.found.none", facts.lang)


def _split(facts: Facts) -> str:
    split = facts.snapshot.split
    said = text(
        "data.split.says",
        facts.lang,
        method=native(facts, split.method),
        unit=native(facts, split.unit),
        train=count(facts, split.rows_train),
        test=count(facts, split.rows_test),
    )
    if not split.cutoff:
        return said
    return text("data.split.cutoff", facts.lang, split=said, cutoff=split.cutoff)


def _columns(facts: Facts, sheet: Sheet) -> str:
    say = partial(text, lang=facts.lang)
    known = sheet.profile.get("columns", {})
    rows = []
    for column in facts.snapshot.columns:
        about = known.get(column.name, {})
        missing = _number(facts, about["missing"]) if about else say("sheet.open")
        part = say(f"sheet.part.{column.role}")
        rows.append((column.name, part, column.kind, missing, count(facts, column.distinct)))
    heads = ("kind", "missing", "different")
    named = [say("column.column"), say("sheet.column.part")]
    return table([*named, *(say(f"sheet.column.{head}") for head in heads)], rows)


def _number(facts: Facts, rows: int) -> str:
    few = 0 < rows < LEAST_SHOWN
    return text("sheet.few", facts.lang, least=LEAST_SHOWN) if few else count(facts, rows)


def _source_row(facts: Facts, source: SourceFacts) -> Sequence[str]:
    open_ = text("sheet.open", facts.lang)
    return (
        source.name,
        *(_said(source, word) or open_ for word in _WHO),
        moment_words(facts, source.loaded_at) if source.loaded_at else open_,
        f"{source.pinned.version}",
        count(facts, source.pinned.rows),
        open_ if source.held is None else count(facts, source.held),
        source.pinned.digest,
    )


def _training(facts: Facts, sheet: Sheet) -> str:
    how = sheet.section.training if sheet.section else None
    if sheet.section is None:
        return _absent(facts, "understand.training")
    named = how or text("sheet.training.source", facts.lang)
    digest = facts.snapshot.code_digest
    return text("sheet.training.says", facts.lang, how=named, digest=digest)


def _made(facts: Facts, one: MadeFacts) -> str:
    words = {"how": one.how, "reads": ", ".join(one.reads), "says": one.says}
    if one.rows is None or one.version is None:
        return text("sheet.made.never", facts.lang, **words)
    rows = count(facts, one.rows)
    return text("sheet.made.says", facts.lang, rows=rows, version=one.version, **words)


def _contract(facts: Facts, source: SourceFacts) -> str:
    agreed = source.agreed
    if agreed is None:
        return _absent(facts, _path(source, "contract"))
    return text(
        "sheet.quality.contract.says",
        facts.lang,
        path=agreed.path,
        version=agreed.version or "–",
        digest=agreed.digest,
    )


def _scores(facts: Facts, sheet: Sheet) -> list[Sequence[str]]:
    return [
        (
            source.name,
            score.dimension,
            count(facts, score.looked_at),
            count(facts, score.failing),
        )
        for source in sheet.sources
        for score in source.quality
    ]
