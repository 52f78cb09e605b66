"""The model card of a version: README.md in the form the Hugging Face hub reads.

The same facts as the report, shorter, and with a front matter that programs can read.
Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

from qua3ck.transfer.facts import Facts
from qua3ck.transfer.markdown import bullets, plain, table
from qua3ck.transfer.pieces import (
    count,
    figures,
    finding_title,
    metric_title,
    native,
    percent_words,
    wanted_words,
)
from qua3ck.transfer.report import answer, answer_sentences, misuse
from qua3ck.transfer.texts import text

if TYPE_CHECKING:
    from qua3ck.kit.verdicts import Verdict

_TASKS = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
}


def render(facts: Facts) -> str:
    """Return the card as Markdown with a YAML front matter; the same facts give the same bytes."""
    say = partial(text, lang=facts.lang)
    parts = [
        f"---\n{_front_matter(facts)}---",
        f"# {plain(facts.project)}",
        say(
            "card.intro",
            asks=plain(facts.question.asks),
            version=facts.version,
            project=plain(facts.project),
            rows=count(facts, facts.conclusion.rows),
        ),
        _verdict(facts),
        *_section(facts, "card.intended", _intended(facts)),
        *_section(facts, "card.out_of_scope", bullets(misuse(facts))),
        *_section(facts, "card.data", _data(facts)),
        *_section(facts, "card.evaluation", _evaluation(facts)),
        *_section(facts, "card.limitations", _limitations(facts)),
        *_section(facts, "card.format", _format(facts)),
        *_section(facts, "card.load", _loading(facts)),
        *_section(facts, "card.reproduce", f"```sh\nqua3ck reproduce {facts.version}\n```"),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(facts: Facts) -> str:
    from ruamel.yaml import YAML

    task = _TASKS[facts.snapshot.task]
    tags = ["tabular", task, facts.candidate.model_format, facts.candidate.algorithm, "qua3ck"]
    head: dict[str, Any] = {
        "license": facts.licence,
        "library_name": "mlflow",
        "pipeline_tag": task,
        "tags": list(dict.fromkeys(tags)),
        "datasets": [pinned.table for pinned in facts.snapshot.sources],
        "metrics": list(dict.fromkeys(kpi.metric for kpi in facts.question.kpis)),
        "model-index": [{"name": facts.project, "results": [_results(facts, task)]}],
    }
    writer = YAML()
    stream = io.StringIO()
    writer.dump(head, stream)
    return stream.getvalue()


def _results(facts: Facts, task: str) -> dict[str, Any]:
    return {
        "task": {"type": task},
        "dataset": {
            "name": f"{facts.project}, sealed rows",
            "type": "qua3ck-snapshot",
            "split": "test",
            "revision": facts.snapshot.id,
        },
        "metrics": [
            _metric(verdict) for verdict in facts.conclusion.kpis if verdict.value is not None
        ],
    }


def _metric(verdict: Verdict) -> dict[str, Any]:
    return {
        "type": verdict.metric,
        "name": verdict.id,
        "value": verdict.value,
        "args": {
            "low": verdict.low,
            "high": verdict.high,
            "confidence_per_side": verdict.confidence,
            verdict.direction: verdict.threshold,
            "verdict": verdict.verdict,
            "n": verdict.n,
        },
    }


def _section(facts: Facts, key: str, body: str) -> tuple[str, str]:
    return f"## {text(key, facts.lang)}", body


def _verdict(facts: Facts) -> str:
    short = text(f"answer.{answer(facts)}", facts.lang)
    says = " ".join(sentence for sentence in answer_sentences(facts) if sentence)
    return text("card.verdict", facts.lang, answer=f"**{short}**", says=plain(says))


def _intended(facts: Facts) -> str:
    say, question = partial(text, lang=facts.lang), facts.question
    use = say(
        "card.intended.says", decides=plain(question.decides), why_now=plain(question.why_now)
    )
    risk = say(
        "card.risk",
        risk=say(f"risk.{facts.risk_class}"),
        reason=plain(native(facts, facts.risk_reason)),
        risks=plain(question.risks),
    )
    return f"{use}\n\n{risk}"


def _data(facts: Facts) -> str:
    say, snapshot = partial(text, lang=facts.lang), facts.snapshot
    split = say(
        "data.split.says",
        method=native(facts, snapshot.split.method),
        unit=native(facts, snapshot.split.unit),
        train=count(facts, snapshot.split.rows_train),
        test=count(facts, snapshot.split.rows_test),
    )
    lines = [f"{say('data.snapshot')}: `{snapshot.id}`", f"{say('data.split')}: {plain(split)}"]
    for pinned in snapshot.sources:
        said = say(
            "data.source",
            table=pinned.table,
            version=pinned.version,
            rows=count(facts, pinned.rows),
            digest=pinned.digest,
        )
        lines.append(plain(said))
    return "\n".join(f"- {line}" for line in lines)


def _evaluation(facts: Facts) -> str:
    say = partial(text, lang=facts.lang)
    said = say(
        "card.evaluation.says",
        opening=facts.conclusion.opening,
        openings=facts.conclusion.openings,
    )
    rows = []
    for verdict in facts.verdicts():
        value, bounds, _ = figures(facts, verdict)
        rows.append(
            (
                verdict.id,
                verdict.metric if facts.lang == "en" else metric_title(verdict.metric, facts.lang),
                value,
                bounds,
                percent_words(facts, verdict.confidence),
                wanted_words(facts, verdict),
                say(f"verdict.{verdict.verdict}"),
                f"{count(facts, verdict.n)} {say(f'unit.{verdict.unit}')}",
            )
        )
    heads = ("promise", "metric", "measured", "interval", "confidence", "wanted", "verdict", "rows")
    named = [say("kpis.confidence") if h == "confidence" else say(f"column.{h}") for h in heads]
    return f"{said}\n\n{table(named, rows)}"


def _limitations(facts: Facts) -> str:
    listed = [f for f in facts.findings() if f.severity != "inform"]
    found = [f"{f.code}: {finding_title(facts, f)}" for f in listed]
    said = [*(native(facts, risk) for risk in facts.conclusion.risks), *found]
    return bullets(said or [text("decision.no_risks", facts.lang)])


def _format(facts: Facts) -> str:
    candidate = facts.candidate
    return plain(
        text(
            "loop.format.says",
            facts.lang,
            format=candidate.model_format,
            why=native(facts, candidate.why_format),
        )
    )


def _loading(facts: Facts) -> str:
    names = ", ".join(column.name for column in facts.snapshot.features())
    code = (
        "import mlflow\n\n"
        'mlflow.set_tracking_uri("sqlite:///mlflow.db")\n'
        f'model = mlflow.pyfunc.load_model("models:/{facts.project}/{facts.version}")\n'
        f"model.predict(rows)  # pandas.DataFrame with {names}"
    )
    return f"{text('card.load.says', facts.lang)}\n\n```python\n{code}\n```"
