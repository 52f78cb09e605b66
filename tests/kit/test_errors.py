import pytest

from qua3ck.kit import Blocked, NotEnoughEvidence, Qua3ckError, did_you_mean


def test_an_error_reads_as_what_where_fix():
    error = Qua3ckError("It broke", where="file.yaml, line 3", fix="mend it", code="P999")
    assert str(error).splitlines() == [
        "error: It broke (P999)",
        "  where: file.yaml, line 3",
        "  fix:   mend it",
    ]


def test_all_three_are_compulsory():
    with pytest.raises(TypeError):
        Qua3ckError("It broke")


@pytest.mark.parametrize(("kind", "code"), [(Qua3ckError, 2), (Blocked, 1), (NotEnoughEvidence, 2)])
def test_a_gate_exits_with_1_and_a_mistake_with_2(kind, code):
    assert kind("x", where="y", fix="z").exit_code == code


def test_a_far_word_is_not_guessed():
    assert did_you_mean("acuracy", ["accuracy", "f1"]) == '; did you mean "accuracy"?'
    assert did_you_mean("zzz", ["accuracy", "f1"]) == ""
