import pytest

from qua3ck.govern import risk_class


@pytest.mark.parametrize(
    ("affects", "domain", "automated", "risk", "reason"),
    [
        ("people", "credit", False, "high", "Annex III 5(b)"),
        ("people", "Credit Scoring", False, "high", "Annex III 5(b)"),
        ("people", "employment", False, "high", "Annex III 4"),
        ("people", "education", False, "high", "Annex III 3"),
        ("people", "migration", False, "high", "Annex III 7"),
        ("people", "justice", False, "high", "Annex III 8"),
        ("people", "essential-services", False, "high", "Annex III 5(a)"),
        ("people", "health triage", False, "high", "Annex III 5(d)"),
        ("people", "health insurance", False, "high", "Annex III 5(c)"),
        ("people", "music", True, "high", "GDPR Art. 22"),
        ("people", "music", False, "limited", "not in EU AI Act, Annex III"),
        ("people", "consumer credit", False, "high", "Annex III 5(b)"),
        ("people", "bank loan scoring", False, "high", "Annex III 5(b)"),
        ("people", "micro-credit", False, "high", "Annex III 5(b)"),
        ("people", "rural public assistance", False, "high", "Annex III 5(a)"),
        ("people", "ordering of music", False, "limited", "not in EU AI Act, Annex III"),
        ("organisation", "credit", True, "high", "Annex III 5(b)"),
        ("nobody", "credit", True, "high", "Annex III 5(b)"),
        ("organisation", "credit", False, "minimal", "no natural person"),
        (None, "other", False, "high", "answer question.risk.affects"),
        ("organisation", "critical infrastructure", False, "high", "Annex III 2"),
        ("nobody", "other", False, "minimal", "no natural person"),
    ],
)
def test_the_class_follows_the_act_and_says_where(affects, domain, automated, risk, reason):
    found, why = risk_class(affects, domain, automated)
    assert found == risk
    assert reason in why


@pytest.mark.parametrize("domain", ["credti", "employmnet", "migrations"])
def test_a_slip_of_the_pen_does_not_lower_the_class(domain, refused):
    assert "did you mean" in refused(lambda: risk_class("people", domain, False), "G010").what
