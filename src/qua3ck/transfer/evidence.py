"""The pages after the first: what an auditor needs to follow every figure to the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from qua3ck.conclude.changes import threshold_changes
from qua3ck.conclude.figures import digits_for, figure, interval
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.question.metrics import METRICS
from qua3ck.transfer import charts
from qua3ck.transfer.facts import Facts
from qua3ck.transfer.history import loads_behind
from qua3ck.transfer.pieces import (
    answer_word,
    bullets,
    difference_words,
    entry_note,
    fact_list,
    fact_table,
    measure_words,
    method_table,
    moment_words,
    monospaced,
    param_words,
    rival_in_full,
    score_words,
    source_note,
    verdict_table,
)
from qua3ck.transfer.texts import text

if TYPE_CHECKING:
    from qua3ck.a3.records import Trial
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.understand.records import Snapshot

MOST_ENTRIES = 120
MOST_KPIS = 4
_Section = tuple[str, Html]


def evidence(facts: Facts) -> Html:
    """Return every part of the evidence under its own heading, with its ledger entries."""
    say = partial(text, lang=facts.lang)
    sections = _sections(facts)
    links = [tag("li", tag("a", say(name), href=f"#{name}")) for name, _ in sections]
    parts = [tag("section", tag("h2", say(name)), part, id=name) for name, part in sections]
    return tag(
        "div",
        tag("h2", say("auditor")),
        tag("p", say("auditor.says")),
        tag("nav", tag("ol", *links), aria_label=say("contents")),
        *parts,
        class_="evidence",
    )


def _sections(facts: Facts) -> list[_Section]:
    makers = {
        "kpis": _kpis,
        "changes": _changes,
        "slices": _slices,
        "fairness": _fairness,
        "data": _data,
        "findings": _findings,
        "loop": _loop,
        "comparison": _comparisons,
        "errors": _errors,
        "decision": _decision,
        "reproduce": _reproduce,
        "trail": _trail,
    }
    return [(name, maker(facts)) for name, maker in makers.items()]


def _kpis(facts: Facts) -> Html:
    say, question = partial(text, lang=facts.lang), facts.question
    pairs: list[tuple[str, Content]] = [
        (say("kpis.digest"), monospaced(facts.conclusion.question)),
        (say("kpis.stop_if"), "; ".join(question.stop_if)),
    ]
    if question.costs:
        costs = say(
            "kpis.costs.says",
            false_positive=f"{question.costs.false_positive:g}",
            false_negative=f"{question.costs.false_negative:g}",
        )
        pairs.append((say("kpis.costs"), costs))
    return join(
        fact_list(*pairs),
        verdict_table(facts, facts.conclusion.kpis, caption=None, rests_on=True),
        method_table(facts, facts.conclusion.kpis),
        _measures(facts),
        source_note(facts, "question.set", facts.conclusion.question),
        source_note(facts, "verdict.made", facts.conclusion.candidate),
    )


def _measures(facts: Facts) -> Html:
    names = dict.fromkeys(verdict.metric for verdict in facts.verdicts())
    head = tag("h3", text("measures", facts.lang))
    return tag("div", head, bullets(measure_words(facts, name) for name in names))


def _changes(facts: Facts) -> Html:
    say = partial(text, lang=facts.lang)
    changes = threshold_changes(facts.entries)
    if not changes:
        return tag("p", say("changes.none"))
    gone = say("changes.gone")
    rows = [
        (
            change.id,
            change.before or gone,
            change.after or gone,
            f"{change.actor}, {moment_words(change.at)}",
            f"{change.seq}",
        )
        for change in changes
    ]
    heads = ("column.promise", "changes.before", "changes.after", "changes.who", "changes.entry")
    return join(
        tag("p", say("changes.warning"), class_="notice"),
        fact_table(facts, heads, rows, numeric=(4,)),
    )


def _slices(facts: Facts) -> Html:
    return _promised(facts, facts.conclusion.slices, nothing="slices.none")


def _fairness(facts: Facts) -> Html:
    return _promised(facts, facts.conclusion.fairness, nothing="fairness.none")


def _promised(facts: Facts, verdicts: Sequence[Verdict], *, nothing: str) -> Html:
    if not verdicts:
        return tag("p", text(nothing, facts.lang))
    return join(
        verdict_table(facts, verdicts, caption=None, rests_on=True),
        method_table(facts, verdicts),
        source_note(facts, "verdict.made", facts.conclusion.candidate),
    )


def _data(facts: Facts) -> Html:
    say, snapshot = partial(text, lang=facts.lang), facts.snapshot
    sources = [
        say("data.source", table=p.table, version=p.version, rows=f"{p.rows:,}", digest=p.digest)
        for p in (*snapshot.sources, snapshot.gold)
    ]
    left_out = [column for column in snapshot.columns if column.role == "left_out"]
    parts: list[Content] = [
        fact_list(
            (say("data.snapshot"), monospaced(snapshot.id)),
            (say("data.sources"), bullets(sources)),
            (say("data.target"), _target(facts)),
            (say("data.split"), _split(facts)),
            (say("data.seal"), monospaced(snapshot.seal)),
            (say("data.profile"), _profile_link(snapshot)),
            (say("data.code"), monospaced(snapshot.code_digest)),
            (
                say("data.columns"),
                say(
                    "data.columns.says",
                    features=len(snapshot.features()),
                    left_out=len(left_out),
                ),
            ),
        )
    ]
    if left_out:
        rows = [(column.name, column.why) for column in left_out]
        parts += [
            tag("h3", say("data.left_out")),
            fact_table(facts, ("column.column", "column.why"), rows),
        ]
    return join(
        *parts,
        *(entry_note(facts, entry) for entry in loads_behind(facts.entries, snapshot.sources)),
        source_note(facts, "seal.made", snapshot.seal, snapshot.id),
        source_note(facts, "seal.opened", facts.conclusion.candidate),
    )


def _target(facts: Facts) -> str:
    snapshot = facts.snapshot
    if not snapshot.classes:
        return text("data.target.values", facts.lang, target=snapshot.target)
    return text(
        "data.target.classes",
        facts.lang,
        target=snapshot.target,
        classes=", ".join(snapshot.classes),
        positive=snapshot.positive or "–",
    )


def _split(facts: Facts) -> str:
    say, split = partial(text, lang=facts.lang), facts.snapshot.split
    said = say(
        "data.split.says",
        method=split.method,
        unit=split.unit,
        train=f"{split.rows_train:,}",
        test=f"{split.rows_test:,}",
    )
    if split.cutoff:
        said = say("data.split.cutoff", split=said, cutoff=split.cutoff)
    return f"{said}. {say('data.split.content')}" if split.unit == "content" else said


def _profile_link(snapshot: Snapshot) -> Html:
    return tag("span", f"{snapshot.profile}, SHA-256 {snapshot.profile_digest}", class_="mono")


def _findings(facts: Facts) -> Html:
    say, findings = partial(text, lang=facts.lang), facts.findings()
    if not findings:
        return tag("p", say("findings.none"))
    rows: list[tuple[Content, ...]] = []
    for finding in findings:
        weight = say(f"severity.{finding.severity}")
        if finding.accepted:
            weight = f"{weight}; {say('severity.accepted', reason=finding.accepted)}"
        rows.append((finding.code, weight, finding.where, finding.says))
    heads = ("column.code", "column.severity", "column.where", "column.says")
    return fact_table(facts, heads, rows)


def _loop(facts: Facts) -> Html:
    say, candidate = partial(text, lang=facts.lang), facts.candidate
    parts: list[Content] = [_chosen(facts), tag("h3", say("loop.candidates")), _trial_table(facts)]
    done = sum(trial.state == "complete" for trial in candidate.trials)
    parts.append(
        tag("p", say("loop.trials", done=done, pruned=len(candidate.trials) - done), class_="soft")
    )
    figures: list[Html] = []
    if len(candidate.learning_curve) > 1:
        figures.append(_curve(facts))
    if candidate.influences:
        figures.append(_influences(facts))
    return join(
        *parts,
        tag("div", *figures, class_="charts"),
        source_note(facts, "candidate.kept", candidate.digest),
    )


def _chosen(facts: Facts) -> Html:
    say, candidate = partial(text, lang=facts.lang), facts.candidate
    params = ", ".join(f"{key} = {param_words(value)}" for key, value in candidate.params.items())
    chosen = say(
        "loop.chosen.says", algorithm=candidate.algorithm, params=params or say("loop.no_params")
    )
    same = ".same" if facts.snapshot.order == "independent" else ""
    optimistic = say(f"loop.optimistic.says{same}", value=figure(candidate.optimistic, 4))
    return fact_list(
        (say("loop.chosen"), chosen),
        (
            say("loop.format"),
            say("loop.format.says", format=candidate.model_format, why=candidate.why_format),
        ),
        (say("loop.honest"), figure(candidate.honest, 4)),
        (say("loop.optimistic"), optimistic),
        (say("loop.train"), figure(candidate.train_score, 4)),
        (say("loop.seed_sd"), figure(candidate.seed_sd, 4)),
        (say("loop.gain"), score_words(candidate.gain)),
        (say("loop.next_step"), candidate.next_step),
    )


def _trial_table(facts: Facts) -> Html:
    say, candidate = partial(text, lang=facts.lang), facts.candidate
    ids = [kpi.id for kpi in facts.question.kpis if kpi.id in candidate.scores][:MOST_KPIS]
    heads = [
        "column.run",
        "column.algorithm",
        *ids,
        "column.latency",
        "column.size",
        "column.feasible",
    ]
    rows: list[tuple[Content, ...]] = []
    for name, scores in (("loop.baseline", candidate.baseline), ("loop.rule", candidate.rule)):
        if scores:
            cells = [figure(scores[key].value if key in scores else None, 4) for key in ids]
            rows.append(("–", say(name), *cells, "–", "–", "–"))
    for trial in _best_trials(facts):
        cells = [figure(trial.scores.get(key), 4) for key in ids]
        run = monospaced(trial.run_id[:8]) if trial.run_id else f"{trial.number}"
        feasible = say("yes" if trial.feasible else "no")
        latency, size = f"{trial.latency_proxy_ms:.3g}", f"{trial.size_proxy_mb:.3g}"
        rows.append((run, trial.algorithm, *cells, latency, size, feasible))
    numeric = tuple(range(2, 4 + len(ids)))
    return fact_table(facts, heads, rows, numeric=numeric, plain=frozenset(ids))


def _best_trials(facts: Facts) -> list[Trial]:
    """Return the best complete trial of each algorithm by the first KPI, best first."""
    kpi = facts.question.kpis[0]
    worth = -1.0 if kpi.direction == "at_most" else 1.0

    def key(trial: Trial) -> tuple[bool, float, int]:
        score = trial.scores.get(kpi.id)
        return trial.feasible, worth * score if score is not None else -1e300, -trial.number

    best: dict[str, Trial] = {}
    for trial in sorted(facts.candidate.trials, key=key, reverse=True):
        if trial.state == "complete":
            best.setdefault(trial.algorithm, trial)
    return list(best.values())


def _curve(facts: Facts) -> Html:
    say, points = partial(text, lang=facts.lang), facts.candidate.learning_curve
    rows, train, valid = points[-1]
    label = say("curve.label", rows=f"{rows:,}", train=figure(train, 3), valid=figure(valid, 3))
    drawing = charts.learning_curve(
        points,
        label=label,
        names=(say("curve.train"), say("curve.valid")),
        across=say("curve.across"),
    )
    return tag("figure", tag("h3", say("curve")), drawing, tag("figcaption", label))


def _influences(facts: Facts) -> Html:
    say = partial(text, lang=facts.lang)
    shown = sorted(facts.candidate.influences, key=lambda each: -each.drop)[:12]
    label = say("influences.label", column=shown[0].column, drop=figure(shown[0].drop, 4))
    drawing = charts.influence_bars(
        [(each.column, each.drop, each.low, each.high) for each in shown], label=label
    )
    return tag(
        "figure", tag("h3", say("influences")), drawing, tag("figcaption", say("influences.says"))
    )


def _comparisons(facts: Facts) -> Html:
    rows: list[tuple[Content, ...]] = []
    for comparison in facts.conclusion.comparisons:
        gain, bounds = difference_words(comparison)
        digits = digits_for(comparison.difference, comparison.low, comparison.high)
        better = text(f"better.{comparison.verdict}", facts.lang)
        rows.append(
            (
                rival_in_full(facts, comparison),
                METRICS[comparison.metric].title,
                figure(comparison.candidate, digits),
                figure(comparison.other, digits),
                f"{gain} {bounds}",
                answer_word(comparison.verdict, better),
                comparison.method,
            )
        )
    heads = ("against", "metric", "candidate", "other", "gain", "verdict", "method")
    return join(
        fact_table(facts, [f"column.{head}" for head in heads], rows, numeric=(2, 3, 4)),
        source_note(facts, "verdict.made", facts.conclusion.candidate),
    )


def _errors(facts: Facts) -> Html:
    parts: list[Content] = []
    if facts.conclusion.confusion:
        parts.append(tag("div", _confusion(facts), _per_class(facts), class_="charts"))
        parts.append(_calibration(facts))
    return join(*parts, _concentration(facts), _measured(facts))


def _confusion(facts: Facts) -> Html:
    say, classes = partial(text, lang=facts.lang), list(facts.conclusion.per_class)
    heads = [tag("th", say("confusion.said", name=name), scope="col") for name in classes]
    rows = []
    for number, (name, counts) in enumerate(zip(classes, facts.conclusion.confusion, strict=True)):
        cells = [
            tag("td", f"{count:,}", class_="num right" if place == number else "num")
            for place, count in enumerate(counts)
        ]
        rows.append(tag("tr", tag("th", say("confusion.truth", name=name), scope="row"), *cells))
    table = tag(
        "table",
        tag("caption", say("confusion.caption")),
        tag("thead", tag("tr", tag("td"), *heads)),
        tag("tbody", *rows),
        class_="matrix",
    )
    return tag("div", tag("h3", say("confusion")), tag("div", table, class_="scroll"))


def _per_class(facts: Facts) -> Html:
    rows: list[tuple[Content, ...]] = []
    for name, figures in facts.conclusion.per_class.items():
        shares = [figure(figures.get(key), 3) for key in ("precision", "recall", "f1")]
        rows.append((name, *shares, f"{figures['support']:,.0f}"))
    heads = [f"column.{head}" for head in ("class", "precision", "recall", "f1", "support")]
    table = fact_table(facts, heads, rows, numeric=(1, 2, 3, 4))
    return tag("div", tag("h3", text("per_class", facts.lang)), table)


def _calibration(facts: Facts) -> Html:
    say, found = partial(text, lang=facts.lang), facts.conclusion.calibration
    head = tag("h3", say("calibration"))
    bins = found.get("bins") or []
    if not bins:
        return join(head, tag("p", say("calibration.none")))
    counts = {"bins": len(bins), "off": found["off"]}
    drawing = charts.reliability(
        bins,
        label=say("calibration.label", **counts),
        across=say("calibration.across"),
        upward=say("calibration.upward"),
    )
    said = say("calibration.says", of=found["of"], ece=figure(found["ece"], 3), **counts)
    return join(head, tag("figure", drawing, tag("figcaption", said)))


def _concentration(facts: Facts) -> Html:
    say = partial(text, lang=facts.lang)
    head = tag("h3", say("concentration"))
    if not facts.conclusion.errors:
        return join(head, tag("p", say("concentration.none")))
    rows = [_part_row(part) for part in facts.conclusion.errors]
    heads = [
        f"column.{name}" for name in ("column", "part", "rows", "rate", "interval", "rest", "p")
    ]
    suffix = "" if facts.snapshot.classes else ".regression"
    return join(
        head,
        tag("p", say(f"concentration.says{suffix}"), class_="soft"),
        fact_table(facts, heads, rows, numeric=(2, 3, 4, 5, 6)),
    )


def _part_row(part: Mapping[str, Any]) -> tuple[Content, ...]:
    bounds = interval(part["low"], part["high"], 2)
    p = "< 0.001" if part["p"] < 0.001 else figure(part["p"], 3)
    rate, rest = figure(part["rate"], 2), figure(part["rest"], 2)
    return (str(part["column"]), str(part["part"]), f"{part['rows']:,}", rate, bounds, rest, p)


def _measured(facts: Facts) -> Html:
    say, conclusion = partial(text, lang=facts.lang), facts.conclusion
    times = {key: f"{value:.3g}" for key, value in conclusion.latency_ms.items()}
    times["requests"] = f"{conclusion.latency_ms.get('requests', 0):,.0f}"
    parity = say("measured.parity.none")
    if conclusion.parity:
        parity = say(
            "measured.parity.says",
            differ=f"{conclusion.parity['labels_differ']:,}",
            rows=f"{conclusion.parity['rows']:,}",
            largest=f"{conclusion.parity['largest_difference']:.2g}",
        )
    return join(
        tag("h3", say("measured")),
        fact_list(
            (say("measured.latency"), say("measured.latency.says", **times)),
            (say("measured.size"), say("measured.size.says", size=f"{conclusion.size_mb:.3g}")),
            (say("measured.parity"), parity),
        ),
    )


def _decision(facts: Facts) -> Html:
    say, conclusion = partial(text, lang=facts.lang), facts.conclusion
    risks = conclusion.risks or (say("decision.no_risks"),)
    return join(
        tag("h3", say("decision.why")),
        bullets(conclusion.reasons),
        tag("h3", say("decision.risks")),
        bullets(risks),
    )


def _reproduce(facts: Facts) -> Html:
    say, candidate = partial(text, lang=facts.lang), facts.candidate
    pairs: list[tuple[str, Content]] = [
        (say("data.snapshot"), monospaced(facts.snapshot.id)),
        (say("reproduce.candidate"), monospaced(candidate.digest)),
        (say("reproduce.artefact"), monospaced(candidate.artefact)),
        (say("reproduce.predictions"), monospaced(facts.conclusion.predictions_digest)),
        (say("reproduce.code"), monospaced(candidate.code_digest)),
        (say("reproduce.seed"), f"{candidate.seed}"),
    ]
    if facts.release:
        pairs.append((say("reproduce.release"), monospaced(facts.release.digest)))
    command = tag("p", tag("code", f"qua3ck reproduce {facts.version}"))
    return join(tag("p", say("reproduce.says")), command, fact_list(*pairs))


def _trail(facts: Facts) -> Html:
    say = partial(text, lang=facts.lang)
    if not facts.entries:
        return tag("p", say("trail.none"))
    shown = facts.entries[-MOST_ENTRIES:]
    rows: list[tuple[Content, ...]] = [
        (
            f"{entry.seq}",
            moment_words(entry.at),
            entry.actor,
            entry.event,
            tag("span", entry.subject, class_="hash"),
            tag("span", entry.hash, class_="hash"),
        )
        for entry in shown
    ]
    heads = [f"column.{head}" for head in ("seq", "at", "actor", "event", "subject", "hash")]
    parts: list[Content] = [tag("p", say("trail.says"))]
    if len(facts.entries) > len(shown):
        parts.append(tag("p", say("trail.earlier", n=len(facts.entries) - len(shown))))
    return join(*parts, fact_table(facts, heads, rows, numeric=(0,)))
