"""The pages after the first: what an auditor needs to follow every figure to the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from qua3ck.conclude.changes import threshold_changes
from qua3ck.conclude.figures import digits_for, interval
from qua3ck.govern.approvals import question_approvals
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.question.promises import as_written
from qua3ck.transfer import charts
from qua3ck.transfer.facts import Facts
from qua3ck.transfer.history import loads_behind
from qua3ck.transfer.pieces import (
    answer_word,
    bullets,
    count,
    difference_words,
    entry_note,
    fact_list,
    fact_table,
    finding_words,
    measure_words,
    method_table,
    metric_title,
    moment_words,
    monospaced,
    native,
    param_words,
    rival_in_full,
    rounded,
    score_words,
    source_note,
    told,
    verdict_table,
)
from qua3ck.transfer.texts import day, local, text

if TYPE_CHECKING:
    from qua3ck.a3.records import Trial
    from qua3ck.kit.findings import Finding
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
        "agreed": signed_thresholds,
        "changes": changed_thresholds,
        "slices": _slices,
        "fairness": _fairness,
        "data": _data,
        "findings": findings_table,
        "security": _security,
        "loop": _loop,
        "comparison": comparison_table,
        "errors": _errors,
        "decision": decision_lists,
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


def signed_thresholds(facts: Facts) -> Html:
    """Return every signature under the question: whose, when, and under which thresholds."""
    say = partial(text, lang=facts.lang)
    given = question_approvals(facts.entries)
    if not given:
        return tag("p", say("agreed.none"))
    rows: list[tuple[Content, ...]] = [
        (
            word.approver,
            say(f"agreed.{word.decision}"),
            moment_words(facts, word.at),
            f"{word.opened}",
            bullets(
                ": ".join(_promise(facts, name, said))
                for name, said in as_written(word.promises).items()
            ),
            f"{entry.seq}",
        )
        for entry, word in given
    ]
    names = ("person", "word", "when", "opened", "thresholds")
    heads = [*(f"agreed.{name}" for name in names), "changes.entry"]
    return join(tag("p", say("agreed.says")), fact_table(facts, heads, rows, numeric=(3, 5)))


def changed_thresholds(facts: Facts) -> Html:
    """Return what was changed in the promises after a verdict was known."""
    say = partial(text, lang=facts.lang)
    changes = threshold_changes(facts.entries)
    if not changes:
        return tag("p", say("changes.none"))
    gone = say("changes.gone")
    rows = [
        (
            _promise(facts, change.id, change.before)[0],
            _promise(facts, change.id, change.before)[1] or gone,
            _promise(facts, change.id, change.after)[1] or gone,
            f"{change.actor}, {moment_words(facts, change.at)}",
            f"{change.seq}",
        )
        for change in changes
    ]
    heads = ("column.promise", "changes.before", "changes.after", "changes.who", "changes.entry")
    return join(
        tag("p", say("changes.warning"), class_="notice"),
        fact_table(facts, heads, rows, numeric=(4,)),
    )


def _promise(facts: Facts, name: str, said: str) -> tuple[str, str]:
    """Return what a promise is called and says, in the language of the report."""
    from qua3ck.transfer.german import promise_words

    return promise_words(name, said) if facts.lang == "de" else (name, said)


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
        say(
            "data.source",
            table=p.table,
            version=p.version,
            rows=count(facts, p.rows),
            digest=p.digest,
        )
        for p in (*snapshot.sources, snapshot.gold)
    ]
    left_out = [column for column in snapshot.columns if column.role == "left_out"]
    parts: list[Content] = [
        fact_list(
            (say("data.snapshot"), monospaced(snapshot.id)),
            (say("data.sources"), bullets(sources)),
            (say("data.target"), target_words(facts)),
            (say("data.split"), split_words(facts)),
            (say("data.seal"), monospaced(snapshot.seal)),
            (say("data.profile"), _profile_link(snapshot)),
            (say("data.datasheet"), monospaced("datasheet.md")),
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
        rows = [(column.name, told(facts, column.why)) for column in left_out]
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


def target_words(facts: Facts) -> str:
    """Return what is predicted, and which class is the positive one."""
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


def split_words(facts: Facts) -> str:
    """Return how test rows were told from training rows."""
    say, split = partial(text, lang=facts.lang), facts.snapshot.split
    said = say(
        "data.split.says",
        method=native(facts, split.method),
        unit=native(facts, split.unit),
        train=count(facts, split.rows_train),
        test=count(facts, split.rows_test),
    )
    if split.cutoff:
        said = say("data.split.cutoff", split=said, cutoff=split.cutoff)
    return f"{said}. {say('data.split.content')}" if split.unit == "content" else said


def _profile_link(snapshot: Snapshot) -> Html:
    return tag("span", f"{snapshot.profile}, SHA-256 {snapshot.profile_digest}", class_="mono")


def findings_table(facts: Facts) -> Html:
    """Return what the checks of all phases had to say."""
    say, findings = partial(text, lang=facts.lang), facts.findings()
    if not findings:
        return tag("p", say("findings.none"))
    rows: list[tuple[Content, ...]] = []
    for finding in findings:
        weight = say(f"severity.{finding.severity}")
        if finding.accepted:
            reason = f"{finding.accepted}{_whose(facts, finding)}"
            weight = f"{weight}; {say('severity.accepted', reason=reason)}"
        where = told(facts, finding.where)
        rows.append((finding.code, weight, where, finding_words(facts, finding)))
    heads = ("column.code", "column.severity", "column.where", "column.says")
    return fact_table(facts, heads, rows)


def _whose(facts: Facts, finding: Finding) -> str:
    """Return who put the reason for a finding of the security scan on record, in brackets."""
    seen = facts.security
    return f" ({seen.by})" if seen is not None and seen.by and finding in seen.findings else ""


def _security(facts: Facts) -> Html:
    """Return what the scan of the version's folder looked at; its findings stand above."""
    say, seen = partial(text, lang=facts.lang), facts.security
    if seen is None:
        return tag("p", say("security.not_scanned"))
    files = say(
        "security.files.says",
        files=count(facts, seen.files),
        code=count(facts, seen.code_files),
        packages=count(facts, seen.packages),
    )
    known = say("security.advisories.none")
    if seen.advisories:
        newest = day(seen.newest, facts.lang)
        known = say("security.advisories.says", n=count(facts, seen.advisories), newest=newest)
    found = say(
        "security.found.says",
        block=sum(finding.blocks for finding in seen.findings),
        warn=sum(finding.severity == "warn" for finding in seen.findings),
    )
    return fact_list(
        (say("security.files"), files),
        (say("security.advisories"), known),
        (say("security.found"), found),
    )


def _loop(facts: Facts) -> Html:
    say, candidate = partial(text, lang=facts.lang), facts.candidate
    head = tag("h3", say("loop.candidates"))
    parts: list[Content] = [chosen_facts(facts), head, _trial_table(facts)]
    done = sum(trial.state == "complete" for trial in candidate.trials)
    parts.append(
        tag("p", say("loop.trials", done=done, pruned=len(candidate.trials) - done), class_="soft")
    )
    figures: list[Html] = []
    if len(candidate.learning_curve) > 1:
        figures.append(learning_chart(facts))
    if candidate.influences:
        figures.append(influence_chart(facts))
    return join(
        *parts,
        tag("div", *figures, class_="charts"),
        source_note(facts, "candidate.kept", candidate.digest),
    )


def chosen_facts(facts: Facts) -> Html:
    """Return what was chosen in the loop and how it scored there."""
    say, candidate = partial(text, lang=facts.lang), facts.candidate
    params = ", ".join(f"{k} = {param_words(facts, v)}" for k, v in candidate.params.items())
    chosen = say(
        "loop.chosen.says",
        algorithm=native(facts, candidate.algorithm),
        params=params or say("loop.no_params"),
    )
    same = ".same" if facts.snapshot.order == "independent" else ""
    optimistic = say(f"loop.optimistic.says{same}", value=rounded(facts, candidate.optimistic, 4))
    why = native(facts, candidate.why_format)
    return fact_list(
        (say("loop.chosen"), chosen),
        (
            say("loop.format"),
            say("loop.format.says", format=candidate.model_format, why=why),
        ),
        (say("loop.honest"), rounded(facts, candidate.honest, 4)),
        (say("loop.optimistic"), optimistic),
        (say("loop.train"), rounded(facts, candidate.train_score, 4)),
        (say("loop.seed_sd"), rounded(facts, candidate.seed_sd, 4)),
        (say("loop.gain"), score_words(facts, candidate.gain)),
        (say("loop.next_step"), told(facts, candidate.next_step)),
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
            found = [scores[key].value if key in scores else None for key in ids]
            cells = [rounded(facts, value, 4) for value in found]
            rows.append(("–", say(name), *cells, "–", "–", "–"))
    for trial in _best_trials(facts):
        cells = [rounded(facts, trial.scores.get(key), 4) for key in ids]
        run = monospaced(trial.run_id[:8]) if trial.run_id else f"{trial.number}"
        feasible = say("yes" if trial.feasible else "no")
        proxies = (trial.latency_proxy_ms, trial.size_proxy_mb)
        latency, size = (local(f"{value:.3g}", facts.lang) for value in proxies)
        rows.append((run, native(facts, trial.algorithm), *cells, latency, size, feasible))
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


def learning_chart(facts: Facts) -> Html:
    """Return the learning curve, drawn and said."""
    say, points = partial(text, lang=facts.lang), facts.candidate.learning_curve
    rows, train, valid = points[-1]
    shown = {"train": rounded(facts, train, 3), "valid": rounded(facts, valid, 3)}
    label = say("curve.label", rows=count(facts, rows), **shown)
    drawing = charts.learning_curve(
        points,
        label=label,
        names=(say("curve.train"), say("curve.valid")),
        across=say("curve.across"),
        lang=facts.lang,
    )
    return tag("figure", tag("h3", say("curve")), drawing, tag("figcaption", label))


def influence_chart(facts: Facts) -> Html:
    """Return which columns the model looks at, drawn."""
    say = partial(text, lang=facts.lang)
    shown = sorted(facts.candidate.influences, key=lambda each: -each.drop)[:12]
    drop = rounded(facts, shown[0].drop, 4)
    label = say("influences.label", column=shown[0].column, drop=drop)
    drawing = charts.influence_bars(
        [(each.column, each.drop, each.low, each.high) for each in shown],
        label=label,
        lang=facts.lang,
    )
    return tag(
        "figure", tag("h3", say("influences")), drawing, tag("figcaption", say("influences.says"))
    )


def comparison_table(facts: Facts) -> Html:
    """Return the candidate against the others on the same sealed rows."""
    rows: list[tuple[Content, ...]] = []
    for comparison in facts.conclusion.comparisons:
        gain, bounds = difference_words(facts, comparison)
        digits = digits_for(comparison.difference, comparison.low, comparison.high)
        better = text(f"better.{comparison.verdict}", facts.lang)
        rows.append(
            (
                rival_in_full(facts, comparison),
                metric_title(comparison.metric, facts.lang),
                rounded(facts, comparison.candidate, digits),
                rounded(facts, comparison.other, digits),
                f"{gain} {bounds}",
                answer_word(comparison.verdict, better),
                told(facts, comparison.method),
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
        parts.append(tag("div", confusion_matrix(facts), per_class_table(facts), class_="charts"))
        parts.append(calibration_chart(facts))
    return join(*parts, concentration_table(facts), measured_facts(facts))


def confusion_matrix(facts: Facts, *, least: int = 0) -> Html:
    """Return the confusion matrix; counts from 1 on that are below ``least`` are not told."""
    say, classes = partial(text, lang=facts.lang), list(facts.conclusion.per_class)
    heads = [tag("th", say("confusion.said", name=name), scope="col") for name in classes]
    rows = []
    for number, (name, counts) in enumerate(zip(classes, facts.conclusion.confusion, strict=True)):
        shown = _counts(facts, counts, least)
        cells = [
            tag("td", words, class_="num right" if place == number else "num")
            for place, words in enumerate(shown)
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


def per_class_table(facts: Facts, *, least: int = 0) -> Html:
    """Return precision, recall and F1 per class; of classes below ``least`` rows only that."""
    rows: list[tuple[Content, ...]] = []
    for name, figures in facts.conclusion.per_class.items():
        shares = [rounded(facts, figures.get(key), 3) for key in ("precision", "recall", "f1")]
        if 0 < figures["support"] < least:
            shares = ["–", "–", "–"]
        rows.append((name, *shares, _count(facts, int(figures["support"]), least)))
    heads = [f"column.{head}" for head in ("class", "precision", "recall", "f1", "support")]
    table = fact_table(facts, heads, rows, numeric=(1, 2, 3, 4))
    return tag("div", tag("h3", text("per_class", facts.lang)), table)


def _counts(facts: Facts, counts: Sequence[int], least: int) -> list[str]:
    """Return the counts of one row of a matrix, so that no small one can be told.

    Where only one is kept back, the smallest other one is too: else it would follow from the
    row's sum.
    """
    shown = [_count(facts, number, least) for number in counts]
    small = [place for place, number in enumerate(counts) if 0 < number < least]
    others = [place for place in range(len(counts)) if place not in small and counts[place]]
    if len(small) == 1 and others:
        shown[min(others, key=lambda place: counts[place])] = "–"
    return shown


def _count(facts: Facts, number: int, least: int) -> str:
    if 0 < number < least:
        return text("fewer", facts.lang, least=least)
    return count(facts, number)


def calibration_chart(facts: Facts) -> Html:
    """Return how far probabilities come true, drawn and said."""
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
        lang=facts.lang,
    )
    of = native(facts, found["of"])
    said = say("calibration.says", of=of, ece=rounded(facts, found["ece"], 3), **counts)
    return join(head, tag("figure", drawing, tag("figcaption", said)))


def concentration_table(facts: Facts) -> Html:
    """Return the parts of the data in which errors are more frequent."""
    say = partial(text, lang=facts.lang)
    head = tag("h3", say("concentration"))
    if not facts.conclusion.errors:
        return join(head, tag("p", say("concentration.none")))
    rows = [_part_row(facts, part) for part in facts.conclusion.errors]
    heads = [
        f"column.{name}" for name in ("column", "part", "rows", "rate", "interval", "rest", "p")
    ]
    suffix = "" if facts.snapshot.classes else ".regression"
    return join(
        head,
        tag("p", say(f"concentration.says{suffix}"), class_="soft"),
        fact_table(facts, heads, rows, numeric=(2, 3, 4, 5, 6)),
    )


def _part_row(facts: Facts, part: Mapping[str, Any]) -> tuple[Content, ...]:
    bounds = local(interval(part["low"], part["high"], 2), facts.lang)
    p = local("< 0.001", facts.lang) if part["p"] < 0.001 else rounded(facts, part["p"], 3)
    rate, rest = (rounded(facts, part[key], 2) for key in ("rate", "rest"))
    named = native(facts, str(part["part"]))
    return (str(part["column"]), named, count(facts, part["rows"]), rate, bounds, rest, p)


def measured_facts(facts: Facts) -> Html:
    """Return latency, size and parity of the artefact that ships."""
    say, conclusion = partial(text, lang=facts.lang), facts.conclusion
    times = {k: local(f"{v:.3g}", facts.lang) for k, v in conclusion.latency_ms.items()}
    times["requests"] = count(facts, int(conclusion.latency_ms.get("requests", 0)))
    parity = say("measured.parity.none")
    if conclusion.parity:
        parity = say(
            "measured.parity.says",
            differ=count(facts, conclusion.parity["labels_differ"]),
            rows=count(facts, conclusion.parity["rows"]),
            largest=local(f"{conclusion.parity['largest_difference']:.2g}", facts.lang),
        )
    size = local(f"{conclusion.size_mb:.3g}", facts.lang)
    return join(
        tag("h3", say("measured")),
        fact_list(
            (say("measured.latency"), say("measured.latency.says", **times)),
            (say("measured.size"), say("measured.size.says", size=size)),
            (say("measured.parity"), parity),
        ),
    )


def decision_lists(facts: Facts) -> Html:
    """Return why this one was taken, what was close, and what stays open."""
    say, conclusion = partial(text, lang=facts.lang), facts.conclusion
    risks = conclusion.risks or (say("decision.no_risks"),)
    return join(
        tag("h3", say("decision.why")),
        bullets(told(facts, reason) for reason in conclusion.reasons),
        tag("h3", say("decision.risks")),
        bullets(told(facts, risk) for risk in risks),
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
            moment_words(facts, entry.at),
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
