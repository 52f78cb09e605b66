from dataclasses import dataclass

from qua3ck.project.plan import code_digest, forget, recall_or_do, recalled


@dataclass(frozen=True)
class Made:
    value: int


def test_a_phase_is_done_again_only_when_its_key_changes(tmp_path):
    made = []

    def do():
        made.append(Made(len(made)))
        return made[-1]

    assert recall_or_do(tmp_path, "loop", "a", Made, do) == Made(0)
    assert recall_or_do(tmp_path, "loop", "a", Made, do) == Made(0)
    assert recall_or_do(tmp_path, "loop", "b", Made, do) == Made(1)
    assert recalled(tmp_path, "loop", Made) == Made(1)
    forget(tmp_path, "loop")
    assert recalled(tmp_path, "loop", Made) is None


def test_a_record_that_cannot_be_read_is_made_anew(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "loop.json").write_text('{"key": "a", "rec')
    assert recall_or_do(tmp_path, "loop", "a", Made, lambda: Made(3)) == Made(3)
    (state / "loop.json").write_text('{"key": "a", "record": {"other": 1}}')
    assert recall_or_do(tmp_path, "loop", "a", Made, lambda: Made(4)) == Made(4)


def test_only_the_users_code_counts(tmp_path):
    (tmp_path / "features.py").write_text("x = 1")
    before = code_digest(tmp_path)
    (tmp_path / "releases" / "1").mkdir(parents=True)
    (tmp_path / "releases" / "1" / "model.py").write_text("y = 1")
    (tmp_path / "notes.txt").write_text("z")
    assert code_digest(tmp_path) == before
    (tmp_path / "features.py").write_text("x = 2")
    assert code_digest(tmp_path) != before
