"""Every sentence of the report and the card, in one catalogue: key -> language -> words.

Another language is another word beside ``"en"``; nothing else in the room holds a sentence.
Values in curly brackets are put in as plain text and escaped later, when markup is made.
"""

from __future__ import annotations

from qua3ck.kit.errors import Qua3ckError, did_you_mean

TEXTS: dict[str, dict[str, str]] = {
    # -- page one ---------------------------------------------------------------
    "title": {"en": "{project}, version {version}: report"},
    "kicker": {"en": "Report on version {version}"},
    "made": {"en": "Judged on {date} UTC on {rows} sealed rows, opening {opening} of {openings}."},
    "answer": {"en": "The answer"},
    "answer.pass": {"en": "Yes, it holds."},
    "answer.fail": {"en": "No, it does not hold."},
    "answer.undecided": {"en": "Not proven yet."},
    "answer.blocked": {"en": "Not to be used yet."},
    "answer.pass.says": {
        "en": "On {rows} sealed rows that took no part in training, all {n} promises are kept"
        " beyond doubt."
    },
    "answer.fail.says": {
        "en": "On {rows} sealed rows that took no part in training, {failed} of {n} promises"
        " are not kept."
    },
    "answer.undecided.says": {
        "en": "On {rows} sealed rows that took no part in training, {undecided} of {n} promises"
        " could neither be confirmed nor refuted."
    },
    "answer.blocked.says": {
        "en": "All {n} promises are kept on {rows} sealed rows, but something else"
        " stands in the way: {reason}"
    },
    "answer.first": {
        "en": "{name} is {value}, and lies between {low} and {high} at {confidence} confidence"
        " on each side; wanted is {wanted}."
    },
    "answer.first.no_bounds": {"en": "{name} is {value}; wanted is {wanted}."},
    "answer.gain": {"en": "Against {against} its {metric} is better by {gain}, at least by {low}."},
    "answer.no_gain": {
        "en": "Against {against} its {metric} differs by {gain} {interval}:"
        " that it is better is not shown."
    },
    "against.baseline": {"en": "the naive baseline"},
    "against.rule": {"en": "the one-line rule"},
    "against.champion": {"en": "the version now in use"},
    "asked": {"en": "What was asked"},
    "asked.question": {"en": "Question"},
    "asked.decides": {"en": "Who decides with it"},
    "asked.why_now": {"en": "Why now"},
    "asked.risks": {"en": "What can go wrong"},
    "asked.risk_class": {"en": "Risk class"},
    "risk.minimal": {"en": "minimal"},
    "risk.limited": {"en": "limited"},
    "risk.high": {"en": "high"},
    "risk.because": {"en": "{risk} ({reason})"},
    "promises": {"en": "Promises and verdicts"},
    "promises.caption": {
        "en": "A verdict is read off the interval, never off the bare number: passed when the"
        " whole interval is on the good side (shaded), failed when it is on the other, else"
        " undecided."
    },
    "promises.parts": {
        "en": "{n} parts of the data were judged by themselves; {passed} of these passed."
    },
    "column.promise": {"en": "Promise"},
    "column.measured": {"en": "Measured"},
    "column.interval": {"en": "Interval"},
    "column.wanted": {"en": "Wanted"},
    "column.drawing": {"en": "Interval and threshold"},
    "column.verdict": {"en": "Verdict"},
    "column.rows": {"en": "Rests on"},
    "verdict.pass": {"en": "passed"},
    "verdict.fail": {"en": "failed"},
    "verdict.undecided": {"en": "undecided"},
    "wanted.at_least": {"en": "at least {limit}"},
    "wanted.at_most": {"en": "at most {limit}"},
    "bar.label": {"en": "{id}: {value}, interval {interval}, wanted {wanted}: {verdict}"},
    "measures": {"en": "What the measures mean"},
    "measure": {"en": "{title}: {definition}"},
    "measured_in": {"en": "{value} {unit}"},
    "not_for": {"en": "What it must not be used for"},
    "not_for.else": {"en": "Anything but the decision named above."},
    "not_for.automatic": {
        "en": "Decisions without a person: the question says that a person decides."
    },
    "not_for.unproven": {"en": "Relying on {names}: not confirmed."},
    "not_for.outside": {
        "en": "Cases unlike the {rows} training rows: what lies outside the ranges and values"
        " seen there is not covered by any figure in this report."
    },
    "not_for.blocked": {"en": "Any real decision, until what blocks it is cured."},
    "who": {"en": "Who answers for it"},
    "who.approved": {"en": "{name} approved on {date}: “{reason}” (ledger entry {seq})"},
    "who.refused": {"en": "{name} refused on {date}: “{reason}” (ledger entry {seq})"},
    "who.nobody_yet": {
        "en": "When this report was written, nobody had approved the version."
        " Who did since stands in the ledger: qua3ck audit"
    },
    "who.needs.nobody": {"en": "This risk class asks for no approval."},
    "who.needs.one_person": {"en": "Needed: one approver."},
    "who.needs.two_person": {"en": "Needed: two approvers, none of them the author."},
    "who.owner": {"en": "Owner of the question: {name}."},
    "next": {"en": "What to do next"},
    "next.reproduce": {"en": "Make it again from the pinned data and have that certified:"},
    "next.approve": {"en": "Read the decision record and the risks below, then approve or refuse:"},
    "next.promote": {"en": "Put it into use:"},
    "next.more_rows": {
        "en": "Gather more rows for {id}: about {needed} {unit} (now {n}) would decide it at the"
        " measured value, most likely as: {way}."
    },
    "next.no_number": {
        "en": "{id} lies so close to its threshold that no number of rows would decide it at this"
        " value: settle whether the threshold is the right one."
    },
    "next.too_few": {"en": "{id} rests on too few {unit} ({n}) for any verdict: gather more."},
    "next.improve": {
        "en": "{id} misses its threshold clearly. Improve data or features and judge a new"
        " candidate, or settle for less in writing."
    },
    "next.finding": {"en": "Cure this first: {says} ({code})"},
    # -- for the auditor ----------------------------------------------------------
    "auditor": {"en": "The evidence"},
    "auditor.says": {
        "en": "Each part names the ledger entry it can be checked against. The ledger is a chain"
        " of hashes with a signed head: qua3ck audit verify"
    },
    "source": {"en": "Ledger entry {seq}, {event}, {hash}"},
    "contents": {"en": "Contents"},
    "kpis": {"en": "The question and its promises"},
    "kpis.digest": {"en": "Digest of the question"},
    "kpis.stop_if": {"en": "Stop rules"},
    "kpis.costs": {"en": "Costs of a wrong decision"},
    "kpis.costs.says": {"en": "false alarm {false_positive}, miss {false_negative}"},
    "kpis.method": {"en": "How the interval was made"},
    "kpis.confidence": {"en": "Confidence per side"},
    "kpis.would_decide": {"en": "What would decide it"},
    "kpis.decided": {"en": "decided"},
    "rows_needed": {"en": "about {needed} {unit}: {way}"},
    "rows_needed.none": {"en": "no number at this value"},
    "changes": {"en": "Thresholds changed after a verdict"},
    "changes.none": {"en": "None: every threshold stands as it did before the first verdict."},
    "changes.warning": {
        "en": "These promises were changed when a result was already known. It is allowed, and it"
        " stays in every report."
    },
    "changes.before": {"en": "Before"},
    "changes.after": {"en": "After"},
    "changes.who": {"en": "Who and when"},
    "changes.entry": {"en": "Ledger entry"},
    "changes.gone": {"en": "not asked"},
    "slices": {"en": "Parts of the data"},
    "slices.none": {"en": "The question names no parts of the data to be judged by themselves."},
    "fairness": {"en": "Fairness between groups"},
    "fairness.none": {"en": "The question names no groups of people whose treatment is compared."},
    "data": {"en": "The data"},
    "data.snapshot": {"en": "Snapshot"},
    "data.sources": {"en": "Sources"},
    "data.source": {"en": "{table}, version {version}, {rows} rows, content {digest}"},
    "data.target": {"en": "Target"},
    "data.target.classes": {"en": "{target} ({classes}; positive: {positive})"},
    "data.target.values": {"en": "{target} (a number)"},
    "data.split": {"en": "Split"},
    "data.split.says": {"en": "{method}, by {unit}: {train} rows to learn from, {test} sealed"},
    "data.split.cutoff": {"en": "{split}, from {cutoff} on"},
    "data.split.content": {
        "en": "No entity is declared: a row's side follows its content, so that a correction can"
        " move it to the other side."
    },
    "data.seal": {"en": "Seal"},
    "data.profile": {"en": "Profile of the columns"},
    "data.code": {"en": "Digest of the training code"},
    "data.columns": {"en": "Columns"},
    "data.columns.says": {"en": "{features} given to the model, {left_out} left out"},
    "data.left_out": {"en": "Left out"},
    "column.column": {"en": "Column"},
    "column.why": {"en": "Why"},
    "column.code": {"en": "Code"},
    "column.severity": {"en": "Weight"},
    "column.where": {"en": "Where"},
    "column.says": {"en": "What was found"},
    "severity.inform": {"en": "for information"},
    "severity.warn": {"en": "warning"},
    "severity.block": {"en": "blocks"},
    "severity.accepted": {"en": "accepted: {reason}"},
    "findings": {"en": "Findings"},
    "findings.none": {"en": "No check had anything to say."},
    "loop": {"en": "The loop: what was tried"},
    "loop.chosen": {"en": "Chosen"},
    "loop.chosen.says": {"en": "{algorithm} with {params}"},
    "loop.no_params": {"en": "its usual settings"},
    "loop.format": {"en": "Ships as"},
    "loop.format.says": {"en": "{format}: {why}"},
    "loop.honest": {"en": "Validation score, honest"},
    "loop.optimistic": {"en": "Validation score, random split"},
    "loop.optimistic.says": {"en": "{value} (what a careless split would have promised)"},
    "loop.optimistic.says.same": {"en": "{value} (the same: no time and no group is declared)"},
    "loop.train": {"en": "Score on training rows"},
    "loop.seed_sd": {"en": "Spread between seeds"},
    "loop.gain": {"en": "Gain over the baseline"},
    "loop.next_step": {"en": "What would help most now"},
    "loop.baseline": {"en": "naive baseline"},
    "loop.rule": {"en": "one-line rule"},
    "loop.candidates": {"en": "The best trial of each kind"},
    "loop.trials": {
        "en": "{done} trials finished, {pruned} ended early. Scores are means over"
        " validation folds; latency and size are proxies inside the loop."
    },
    "column.run": {"en": "Run"},
    "column.algorithm": {"en": "Algorithm"},
    "column.latency": {"en": "Latency proxy, ms"},
    "column.size": {"en": "Size proxy, MB"},
    "column.feasible": {"en": "Within limits"},
    "yes": {"en": "yes"},
    "no": {"en": "no"},
    "curve": {"en": "Learning curve"},
    "curve.label": {
        "en": "Score over training rows: at {rows} rows {train} on training rows"
        " and {valid} on validation rows"
    },
    "curve.train": {"en": "training"},
    "curve.valid": {"en": "validation"},
    "curve.across": {"en": "training rows"},
    "influences": {"en": "What it looks at"},
    "influences.says": {
        "en": "How much the first promise's metric worsens on validation rows when a column is"
        " shuffled, with interval. This is influence on the model, not a cause in the world."
    },
    "influences.label": {"en": "Influence of columns; the largest is {column} with {drop}"},
    "column.drop": {"en": "Worse by"},
    "errors": {"en": "Errors and calibration"},
    "comparison": {"en": "Against the others, on the same sealed rows"},
    "column.against": {"en": "Against"},
    "column.metric": {"en": "Metric"},
    "column.candidate": {"en": "Candidate"},
    "column.other": {"en": "Other"},
    "column.gain": {"en": "Better by"},
    "column.method": {"en": "Method"},
    "better.pass": {"en": "better beyond doubt"},
    "better.fail": {"en": "worse beyond doubt"},
    "better.undecided": {"en": "undecided"},
    "confusion": {"en": "Confusion matrix"},
    "confusion.caption": {
        "en": "Rows: what it was. Columns: what was decided. Counts of sealed rows."
    },
    "confusion.truth": {"en": "was {name}"},
    "confusion.said": {"en": "decided {name}"},
    "per_class": {"en": "Per class"},
    "column.class": {"en": "Class"},
    "column.precision": {"en": "Precision"},
    "column.recall": {"en": "Recall"},
    "column.f1": {"en": "F1"},
    "column.support": {"en": "Sealed rows"},
    "calibration": {"en": "Calibration"},
    "calibration.says": {
        "en": "{of}: expected calibration error {ece} over {bins} bins; in {off} of them the"
        " interval leaves the prediction out."
    },
    "calibration.none": {"en": "No probabilities, or too few rows for a bin of 30."},
    "calibration.label": {
        "en": "Observed share over predicted share, {bins} bins, {off} off the diagonal"
    },
    "calibration.across": {"en": "predicted"},
    "calibration.upward": {"en": "observed"},
    "concentration": {"en": "Where errors concentrate"},
    "concentration.says": {
        "en": "Parts of at least 30 rows with more errors than the rest; p after Holm."
        " Smaller parts are not shown."
    },
    "concentration.says.regression": {
        "en": "Parts of at least 30 rows with more large errors (the largest fifth) than the rest;"
        " p after Holm. Smaller parts are not shown."
    },
    "concentration.none": {"en": "In no part of at least 30 rows."},
    "column.part": {"en": "Part"},
    "column.rate": {"en": "Error rate"},
    "column.rest": {"en": "All others"},
    "column.p": {"en": "p"},
    "measured": {"en": "Measured with the artefact that ships"},
    "measured.latency": {"en": "Latency of one row"},
    "measured.latency.says": {
        "en": "{p50} ms (half), {p95} ms (95 of 100), {p99} ms (99 of 100), over"
        " {requests} requests"
    },
    "measured.size": {"en": "Size"},
    "measured.size.says": {"en": "{size} MB"},
    "measured.parity": {"en": "Shipped against trained pipeline"},
    "measured.parity.says": {
        "en": "{differ} of {rows} decisions differ, largest difference of a value {largest}"
    },
    "measured.parity.none": {"en": "the trained pipeline itself ships"},
    "decision": {"en": "Decision record"},
    "decision.why": {"en": "Why this one, and what was close"},
    "decision.risks": {"en": "Open risks"},
    "decision.no_risks": {"en": "None was found by the checks. That is not proof of none."},
    "reproduce": {"en": "How to reproduce it"},
    "reproduce.says": {
        "en": "In the project folder, with the keys of the seal; compares data, metrics and"
        " predictions and writes a certificate or says what differs."
    },
    "reproduce.artefact": {"en": "Artefact"},
    "reproduce.candidate": {"en": "Candidate"},
    "reproduce.predictions": {"en": "Predictions on the sealed rows"},
    "reproduce.release": {"en": "Release"},
    "reproduce.seed": {"en": "Seed"},
    "reproduce.code": {"en": "Code of the candidate"},
    "trail": {"en": "Ledger trail"},
    "trail.says": {"en": "What is recorded about this project when the report was written."},
    "trail.earlier": {"en": "{n} earlier entries are in the ledger."},
    "trail.none": {"en": "No entries were handed to this report."},
    "column.seq": {"en": "No."},
    "column.at": {"en": "When (UTC)"},
    "column.actor": {"en": "Who"},
    "column.event": {"en": "What"},
    "column.subject": {"en": "About"},
    "column.hash": {"en": "Hash"},
    "unit.rows": {"en": "rows"},
    "unit.groups": {"en": "groups"},
    "unit.blocks": {"en": "blocks"},
    "unit.requests": {"en": "requests"},
    "unit.artefacts": {"en": "artefact"},
    "foot": {"en": "Made by qua3ck. This file needs no network and no script."},
    # -- the card -----------------------------------------------------------------
    "card.intro": {
        "en": "{asks} Made with qua3ck as version {version} of {project}; every figure below was"
        " measured on {rows} sealed rows that took no part in training."
    },
    "card.intended": {"en": "Intended use"},
    "card.intended.says": {"en": "{decides} Why now: {why_now}"},
    "card.risk": {"en": "Risk class: {risk} ({reason}). Known risks: {risks}"},
    "card.out_of_scope": {"en": "Out of scope"},
    "card.data": {"en": "Data"},
    "card.evaluation": {"en": "Evaluation"},
    "card.evaluation.says": {
        "en": "Bounds are one-sided at the stated confidence each; a verdict is read off the"
        " bound, never off the value. Opening {opening} of {openings} of the seal."
    },
    "card.limitations": {"en": "Limitations"},
    "card.format": {"en": "Format"},
    "card.load": {"en": "How to load it"},
    "card.load.says": {
        "en": "Any MLflow client can load it; neither qua3ck nor a pickle is needed."
    },
    "card.reproduce": {"en": "How to reproduce it"},
    "card.verdict": {"en": "Verdict: {answer} {says}"},
}


def text(key: str, lang: str = "en", **values: object) -> str:
    """Return a sentence with its values put in.

    Raises
    ------
    Qua3ckError
        If the catalogue has no such language. An unknown key is our own mistake (KeyError).
    """
    words = TEXTS[key]
    if lang not in words:
        raise Qua3ckError(
            f'There are no texts in the language "{lang}"{did_you_mean(lang, words)}',
            where="the language of the report",
            fix=f"use one of: {', '.join(sorted(words))}",
        )
    return words[lang].format(**values)
