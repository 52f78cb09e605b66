from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "operate"))

from small_shop import OPERATE, Shop, make_artefacts, make_shop

from qua3ck.cli.main import main
from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Canary, Fallback, read_plan
from qua3ck.operate.serve.access import Access
from qua3ck.project import Project, open_project

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: rows
version: 1.0.0
status: active
schema:
  - name: rows
    properties:
      - {name: applicant, logicalType: string, classification: confidential}
      - {name: income, logicalType: number, classification: internal}
"""


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_artefacts(tmp_path_factory.mktemp("artefacts"), versions=1)[0]


@pytest.fixture
def shop_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, artefact: Path
) -> Callable[[str], Shop]:
    """Return a maker of a shop with one promoted version and a section ``operate``."""
    for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")

    def build(operate: str = OPERATE) -> Shop:
        shop = make_shop(tmp_path / "shop", [artefact], operate=operate)
        shop.move(1)
        return shop

    return build


def refused(act: Callable[[], Any], code: str) -> Qua3ckError:
    with pytest.raises(Qua3ckError) as caught:
        act()
    assert caught.value.code == code, caught.value
    assert all((caught.value.what, caught.value.where, caught.value.fix))
    return caught.value


def test_a_plan_says_what_the_project_file_says_and_holds_no_secret(shop_of):
    shop = shop_of(
        "  canary: [5, 25, 100]\n"
        "  fallback: {rule: income < 30, then: bad, otherwise: good}\n"
        "  serve:\n"
        "    {port: 9000, workers: 3, key: applicant, hold: 2h, ab_share: 10,\n"
        "     false_stops: 0.01, refuse_outside: [income], api_keys: true,\n"
        "     limits: {bytes: 2000, rows: 3, seconds: 1.5}, log: {durable: true}}\n"
    )
    path = open_project(shop.root).serve(port=9001)
    plan = read_plan(path)
    assert (plan.root, plan.port, plan.workers, plan.key) == (
        str(shop.root.resolve()), 9001, 3, "applicant",
    )  # fmt: skip
    assert plan.canary == Canary(7200.0, 0.01, 100.0, 0.01)
    assert plan.fallback == Fallback("income < 30", "bad", "good")
    assert (plan.ab_share, plan.refuse_outside, plan.keys_required) == (0.1, ("income",), True)
    assert (plan.limits.max_bytes, plan.limits.max_rows, plan.limits.timeout_s) == (2000, 3, 1.5)
    assert (plan.actor, plan.may_promote, plan.log.durable) == ("ana", True, True)
    assert plan.log.pseudonymise == ("applicant",)
    assert Path(plan.log.key_file).read_bytes().hex() not in path.read_text()
    assert not Path(plan.log.key_file).is_relative_to(shop.root)


def test_without_a_section_there_are_defaults_and_nothing_personal(shop_of):
    plan = open_project(shop_of("  alarm_budget: 1 per quarter\n").root).serve_plan()
    assert (plan.port, plan.workers, plan.fallback, plan.keys_required) == (8080, 1, None, False)
    assert plan.log.pseudonymise == ()
    assert plan.canary.hold_s == 600


def test_what_a_contract_keeps_in_the_house_is_never_logged_as_it_is(shop_of):
    shop = shop_of()
    (shop.root / "rows.odcs.yaml").write_text(CONTRACT)
    file = shop.root / "qua3ck.yaml"
    said = file.read_text().replace("path: rows.csv}", "path: rows.csv, contract: rows.odcs.yaml}")
    file.write_text(said.replace("  target: status", "  target: status\n  sensitive: [home]"))
    assert open_project(shop.root).serve_plan().log.pseudonymise == ("applicant", "home")


def test_who_has_no_key_here_may_serve_and_writes_nothing(shop_of, tmp_path, monkeypatch):
    shop = shop_of()
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "other"))
    plan = open_project(shop.root).serve_plan()
    assert (plan.actor, plan.may_promote) == ("", False)


def test_who_only_looks_sees_who_answers_and_leaves_no_trace(shop_of, tmp_path, monkeypatch):
    shop = shop_of("  fallback: {answer: refer}\n  serve: {key: applicant, ab_share: 20}\n")
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "other"))
    plan = open_project(shop.root).routing_plan()
    assert (plan.ab_share, plan.fallback) == (0.2, Fallback(otherwise="refer"))
    assert plan.project_id == shop.workspace.project_id
    assert not (tmp_path / "other").exists()


def test_a_ledger_that_was_changed_serves_nobody(shop_of):
    shop = shop_of()
    chain = shop.workspace.ledger.chain
    chain.write_bytes(chain.read_bytes().replace(b'"version":1}', b'"version":2}'))
    refused(open_project(shop.root).serve, "O004")


def test_a_rule_over_a_column_that_no_request_has_is_refused_with_its_line(shop_of):
    shop = shop_of("  fallback: {rule: incom < 30, then: bad, otherwise: good}\n")
    problem = refused(open_project(shop.root).serve, "O009")
    assert 'did you mean "income"' in problem.what
    assert "line 17" in problem.where


def test_a_column_to_be_refused_outside_training_must_be_one_of_the_champions(shop_of):
    shop = shop_of("  serve: {refuse_outside: [income, aeg]}\n")
    problem = refused(open_project(shop.root).serve, "O013")
    assert 'did you mean "age"' in problem.what
    assert "line 17" in problem.where


def test_what_is_named_like_something_personal_is_replaced_in_the_log(shop_of, monkeypatch):
    shop = shop_of()
    names = "qua3ck.understand.contract.personal.looks_personal"
    monkeypatch.setattr(names, lambda name: name == "income")
    assert open_project(shop.root).serve_plan().hidden == {"income"}


@pytest.mark.parametrize(
    ("kpi", "judged"),
    [
        ("{id: off, metric: mae, at_most: 12}", ("absolute", 48.0)),
        ("{id: off, metric: rmse, at_most: 5}", ("squared", 20.0)),
        ("{id: off, metric: mape, at_most: 0.25}", ("relative", 1.0)),
        ("{id: fit, metric: r2, at_least: 0.5}", ("", 0.0)),
    ],
)
def test_a_promised_error_is_what_a_canary_of_numbers_is_judged_by(shop_of, kpi, judged):
    shop = shop_of()
    file = shop.root / "qua3ck.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("{id: right, metric: accuracy, at_least: 0.6}", kpi))
    canary = open_project(shop.root).serve_plan().canary
    assert (canary.error, canary.error_bound) == judged
    assert canary.latency_ms == 100


def test_before_anything_was_released_that_is_said_and_no_tampering(tmp_path, shop_of):
    shop = shop_of()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(shop.root / "qua3ck.yaml", fresh)
    with pytest.raises(Qua3ckError, match="Nothing was ever released here") as found:
        open_project(fresh).serve()
    assert "qua3ck release" in found.value.fix
    shutil.rmtree(shop.root / "ledger")
    refused(open_project(shop.root).serve, "O004")


def test_a_certificate_that_is_not_there_is_named(shop_of):
    shop = shop_of("  serve: {tls: {cert: a.pem, key: b.pem}}\n")
    refused(open_project(shop.root).serve, "O010")
    (shop.root / "a.pem").write_text("x")
    (shop.root / "b.pem").write_text("x")
    assert open_project(shop.root).serve_plan().tls.cert == str(shop.root.resolve() / "a.pem")


def test_off_and_on_stand_in_the_ledger_with_their_reasons(shop_of, capsys):
    shop = shop_of()
    assert main(["off", str(shop.root), "--reason", "wrong limits"]) == 0
    assert "the declared fallback answers" in capsys.readouterr().out
    assert main(["off", str(shop.root), "--on", "--reason", "mended", "--json"]) == 0
    entries = shop.workspace.ledger.entries()[-2:]
    assert [(e.event, e.body["reason"]) for e in entries] == [
        ("serving.off", "wrong limits"), ("serving.on", "mended"),
    ]  # fmt: skip
    refused(lambda: open_project(shop.root).switch_off(" "), "O011")


def test_off_says_when_nothing_is_declared_to_be_answered(shop_of, capsys):
    shop = shop_of("  canary: [100]\n")
    assert main(["off", str(shop.root), "--reason", "wrong"]) == 0
    assert "503" in capsys.readouterr().out


def test_an_auditor_may_not_switch_off_and_an_analyst_not_on(shop_of, monkeypatch):
    shop = shop_of()
    project = open_project(shop.root)
    project.enrol("rosa", ("auditor",))
    project.enrol("ben", ("analyst",))
    refused(lambda: open_project(shop.root, actor="rosa").switch_off("x"), "G002")
    open_project(shop.root, actor="ben").switch_off("x")
    refused(lambda: open_project(shop.root, actor="ben").switch_on("x"), "G002")


def key_works(project: Project, key: str, scope: str) -> bool:
    access = Access(replace(project.serve_plan(), keys_required=True))
    access.use(project.read_only().ledger.entries())
    return access.allow([(b"x-api-key", key.encode())], scope) is None  # type: ignore[arg-type]


def test_a_key_is_shown_once_works_and_can_be_revoked(shop_of, capsys):
    shop = shop_of()
    root = str(shop.root)
    assert main(["key", "add", "desk", root, "--scope", "predict", "--scope", "read"]) == 0
    out = capsys.readouterr().out
    key = out.splitlines()[0].removeprefix("key: ")
    assert "not shown again" in out
    project = open_project(shop.root)
    assert key_works(project, key, "read")
    assert not key_works(project, key, "operate")
    everything = b"".join(p.read_bytes() for p in shop.root.rglob("*") if p.is_file())
    assert key.rsplit("_", 1)[1].encode() not in everything
    assert main(["key", "list", root]) == 0
    assert "desk: predict, read" in capsys.readouterr().out
    assert main(["key", "revoke", "desk", root]) == 0
    assert not key_works(project, key, "read")
    refused(lambda: project.revoke_key("desk"), "O012")


def test_key_says_what_it_wants(shop_of, capsys):
    assert main(["key", "add"]) == 2
    assert "NAME" in capsys.readouterr().err
    assert main(["key", "list", "a", "b"]) == 2
    assert "PROJECT" in capsys.readouterr().err
    shop = shop_of()
    assert main(["key", "add", "desk", str(shop.root), "--json", "--per-second", "5"]) == 0
    assert '"key": "q3_' in capsys.readouterr().out
    assert main(["key", "list", str(shop.root), "--json"]) == 0
    assert '"per_second": 5.0' in capsys.readouterr().out
    assert main(["key", "revoke", "desk", str(shop.root), "--json"]) == 0


def test_serve_becomes_the_process_that_serves(shop_of, capsys, monkeypatch):
    shop = shop_of()
    became: list[list[str]] = []
    monkeypatch.setattr("qua3ck.cli.serve._become", became.append)
    main(["serve", str(shop.root), "--workers", "2"])
    out = capsys.readouterr().out
    assert "version 1" in out
    assert "whoever reaches it" not in out
    main(["serve", str(shop.root), "--host", "0.0.0.0"])  # noqa: S104
    assert "whoever reaches it may ask" in capsys.readouterr().out
    del became[1:]
    ((python, *words),) = became
    assert python == sys.executable
    assert words[:2] == ["-m", "qua3ck.operate.serve"]
    assert read_plan(Path(words[2])).host == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("option", "value"),
    [("port", 99999), ("port", -1), ("workers", 0), ("workers", -2), ("workers", 65)],
)
def test_an_option_has_the_bounds_that_the_file_has(shop_of, capsys, monkeypatch, option, value):
    monkeypatch.setattr("qua3ck.cli.serve._become", lambda _: pytest.fail("it serves"))
    shop = shop_of()
    with pytest.raises(Qua3ckError) as caught:
        open_project(shop.root).serve(**{option: value})
    assert str(value) in caught.value.what
    assert option in caught.value.where
    assert not (shop.root / "state" / "serve" / "plan.json").exists()
    assert main(["serve", str(shop.root), f"--{option}", str(value)]) == 2
    assert f"--{option}" in capsys.readouterr().err


def test_serve_says_who_answers_while_a_canary_has_its_part(shop_of, artefact, capsys, monkeypatch):
    monkeypatch.setattr("qua3ck.cli.serve._become", lambda _: None)
    shop = shop_of()
    shop.move(shop.release(artefact), steps=(50, 100))
    main(["serve", str(shop.root)])
    assert "is answered by version 1 (50 %) and version 2 (50 %, canary)" in capsys.readouterr().out
    main(["serve", str(shop.root), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["answers"] == [
        {"version": 1, "arm": "champion", "share": 0.5},
        {"version": 2, "arm": "canary", "share": 0.5},
    ]
    shop.append("serving.off", reason="a look at it")
    main(["serve", str(shop.root)])
    assert "switched off" in capsys.readouterr().out


def test_a_promotion_writes_the_declared_steps_into_the_move(shop_of, monkeypatch):
    """What the gates and the registry do is tested elsewhere."""
    given: list[tuple[int, ...]] = []
    monkeypatch.setattr("qua3ck.transfer.promote", lambda *_, steps, **__: given.append(steps))
    monkeypatch.setattr(Project, "tracking", lambda _: None)
    shop = shop_of("  canary: [5, 100]\n")
    open_project(shop.root).promote(1, reason="it holds")
    open_project(shop.root).promote(1, reason="it holds", at_once=True)
    assert given == [(5, 100), ()]
