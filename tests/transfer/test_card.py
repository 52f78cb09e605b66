from __future__ import annotations

from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from qua3ck.transfer.card import render


def parts(card: str) -> tuple[dict, str]:
    empty, head, body = card.split("---\n", 2)
    assert empty == ""
    return YAML(typ="safe").load(head), body


def test_the_front_matter_is_what_the_hub_reads(facts):
    head, _ = parts(render(replace(facts, licence="apache-2.0")))
    assert head["license"] == "apache-2.0"
    assert head["pipeline_tag"] == "tabular-classification"
    assert {"onnx", "gradient_boosting"} <= set(head["tags"])
    (model,) = head["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["revision"] == facts.snapshot.id
    auc = result["metrics"][0]
    assert (auc["type"], auc["name"]) == ("roc_auc", "auc")
    assert auc["value"] == pytest.approx(0.8372)
    assert auc["args"]["low"] == pytest.approx(0.8103)
    assert auc["args"]["at_least"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    "heading",
    ["Intended use", "Out of scope", "Data", "Evaluation", "Limitations", "Format",
     "How to load it", "How to reproduce it"],
)  # fmt: skip
def test_every_section_is_there(facts, heading):
    assert f"\n## {heading}\n" in render(facts)


def test_evaluation_has_intervals_and_verdicts(facts):
    _, body = parts(render(facts))
    assert (
        "| auc | roc\\_auc | 0.837 | \\[0.810, 0.862\\] | 95 % | at least 0.75 | passed |" in body
    )


def test_it_says_how_to_load_and_reproduce(facts):
    _, body = parts(render(facts))
    assert 'mlflow.pyfunc.load_model("models:/consumer-credit/3")' in body
    assert "qua3ck reproduce 3" in body
    assert "seniority, home, income" in body


def test_an_unproven_version_says_so_first(undecided_facts):
    _, body = parts(render(undecided_facts))
    assert "Verdict: **Not proven yet.**" in body


def test_hostile_text_cannot_break_table_heading_or_front_matter(facts):
    evil = "a | b\n---\n# <script>"
    question = facts.question.model_copy(update={"asks": evil, "decides": evil})
    head, body = parts(render(replace(facts, project=evil, question=question)))
    assert head["model-index"][0]["name"] == evil
    assert "<script>" not in body.replace("models:/" + evil, "")
    assert "\n# &lt;" not in body


def test_the_same_facts_give_the_same_bytes(facts):
    assert render(facts) == render(replace(facts))
