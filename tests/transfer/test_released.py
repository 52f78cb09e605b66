from __future__ import annotations

import pytest

from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.transfer.released import released_facts, write_report
from qua3ck.transfer.section import Transfer


def test_what_was_released_is_read_back_whole(lender):
    release = lender.release()
    facts = released_facts(lender.workspace, 1, section=lender.section)
    assert facts.release == release
    assert facts.question == lender.question
    assert facts.snapshot == lender.snapshot
    assert facts.conclusion == lender.conclusion
    assert facts.candidate == lender.candidate
    assert facts.entries[-1].event in ("release.registered", "release.made")


def test_the_section_may_ask_for_more_approvals(lender):
    lender.release()
    asked = released_facts(lender.workspace, 1, section=Transfer(approve="two_person"))
    assert asked.approve == "two_person"


def test_nothing_is_told_of_a_version_that_was_changed(lender):
    lender.release()
    record = lender.root / "releases" / "1" / "records" / "candidate.json"
    record.chmod(0o644)
    record.write_text("{}")
    with pytest.raises(Blocked, match=r"candidate\.json was changed") as caught:
        released_facts(lender.workspace, 1, section=lender.section)
    assert caught.value.code == "K004"


def test_a_version_that_there_is_not_is_said(lender):
    with pytest.raises(Qua3ckError) as caught:
        released_facts(lender.workspace, 7, section=lender.section)
    assert caught.value.code == "K005"


def test_the_same_facts_give_the_same_report_in_either_language(lender, tmp_path):
    lender.release()
    for lang, word in (("en", "Promises and verdicts"), ("de", "Zusagen und Urteile")):
        facts = released_facts(lender.workspace, 1, section=lender.section, lang=lang)
        first = write_report(facts, tmp_path / "one.html").read_bytes()
        assert write_report(facts, tmp_path / "two.html").read_bytes() == first
        assert word in first.decode()
