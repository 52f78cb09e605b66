"""The container: own rules, the schema of compose files, and metrics that exist.

Judges: hadolint, promtool, the schema of the Compose Specification, and what ``qua3ck serve``
really gives as metrics.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]


def loaded(path: Path) -> dict:
    return YAML(typ="safe").load(path.read_text())


def steps(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


@pytest.fixture
def folder(exported) -> Path:
    return exported("docker").folder


def test_the_dockerfile_keeps_our_rules(folder):
    found = steps((folder / "Dockerfile").read_text())
    bases = [what.split()[0] for how, what in found if how == "FROM"]
    assert bases
    assert all(re.fullmatch(r"python:3\.12-slim-bookworm@sha256:[0-9a-f]{64}", b) for b in bases)
    last = max(at for at, (how, _) in enumerate(found) if how == "FROM")
    users = [what for how, what in found[last:] if how == "USER"]
    assert users == ["10001:10001"], "the container does not run as root"
    after = [how for how, _ in found[last:]]
    assert "RUN" not in after[after.index("USER") :]
    assert [how for how, _ in found].count("HEALTHCHECK") == 1
    assert [how for how, _ in found].count("CMD") == 1
    assert not any(how == "ADD" for how, _ in found)
    runs = " ".join(what for how, what in found if how == "RUN")
    assert "--require-hashes" in runs
    assert runs.count("pip install") == runs.count("--no-cache-dir")
    assert "apt-get" not in runs
    command = json.loads(next(what for how, what in found if how == "CMD"))
    assert command[:3] == ["qua3ck", "serve", "/project"]
    health = next(what for how, what in found if how == "HEALTHCHECK")
    assert "/v2/health/ready" in health


def test_the_image_gets_what_serving_needs(folder):
    lines = (folder / "requirements-serve.txt").read_text().splitlines()
    named = {re.split(r"[=<>;\[ ]", line)[0] for line in lines if not line.startswith("#")}
    assert {"uvicorn", "httptools", "msgspec"} <= named
    assert "numpy==2.3.0" in (folder / "requirements.txt").read_text()


def said_by(program: str, *words: str | Path) -> tuple[int, str]:
    """Return how a program ended, and all that it said."""
    command = [program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_hadolint_finds_nothing(folder, judge):
    assert said_by(judge("hadolint"), folder / "Dockerfile") == (0, "")


def test_hadolint_looks(folder, judge, tmp_path):
    """The same file, with a package of no version and a mistake in its shell."""
    text = (folder / "Dockerfile").read_text() + "RUN pip install requests && rm $1\n"
    (tmp_path / "Dockerfile").write_text(text)
    ended, found = said_by(judge("hadolint"), tmp_path / "Dockerfile")
    assert ended == 1
    assert {"DL3013", "SC2086"} <= set(re.findall(r"(?:DL|SC)\d+", found))


def test_only_what_is_copied_is_sent_to_the_builder(folder):
    ignored = (folder / "Dockerfile.dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    copied = [what for how, what in steps((folder / "Dockerfile").read_text()) if how == "COPY"]
    sources = [one for what in copied if "--from" not in what for one in what.split()[:-1]]
    assert {one.split("/")[0] for one in sources} == kept
    assert all((folder / one).exists() for one in sources)


def test_the_compose_file_fits_the_specification(folder):
    schema = pytest.importorskip("check_jsonschema").__file__
    spec = Path(schema).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    import jsonschema

    compose = loaded(folder / "compose.yaml")
    jsonschema.validate(compose, json.loads(spec.read_text()))
    assert all(port.startswith("127.0.0.1:") for one in compose["services"].values()
               for port in one["ports"])  # fmt: skip
    model = compose["services"]["model"]
    assert model["read_only"] is True
    assert model["cap_drop"] == ["ALL"]
    for one in compose["services"].values():
        for volume in one["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (folder / source).exists()


def test_a_default_volume_is_declared(folder):
    compose = loaded(folder / "compose.yaml")
    assert {"prometheus", "grafana", "no-keys"} == set(compose["volumes"])


def queries(folder: Path) -> list[str]:
    board = json.loads((folder / "grafana" / "dashboards" / "serving.json").read_text())
    shown = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    alerts = loaded(folder / "prometheus" / "alerts.yml")
    return shown + [one["expr"] for group in alerts["groups"] for one in group["rules"]]


def test_every_query_names_a_metric_that_is_there(folder):
    from qua3ck.operate.serve import metrics

    source = Path(metrics.__file__).read_text()
    gauges = {f"qua3ck_{name}" for name in metrics.GAUGES}
    named = set(re.findall(r"# TYPE (qua3ck_\w+)", source)) | gauges
    named |= {"qua3ck_request_duration_seconds"}
    endings = r"(_total|_bucket|_sum|_count)$"
    used = {name for text in queries(folder) for name in re.findall(r"qua3ck_\w+", text)}
    assert used
    assert {re.sub(endings, "", name) for name in used} <= named


def test_the_dashboard_is_provisioned_with_its_source(folder):
    grafana = folder / "grafana"
    source = loaded(grafana / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]
    board = json.loads((grafana / "dashboards" / "serving.json").read_text())
    panels = board["panels"]
    assert {one["datasource"]["uid"] for one in panels} == {source["uid"]}
    assert len({one["id"] for one in panels}) == len(panels)
    assert all(one["description"] for one in panels), "each panel says what it shows"
    provider = loaded(grafana / "provisioning" / "dashboards" / "dashboards.yml")["providers"][0]
    compose = loaded(folder / "compose.yaml")
    mounts = [volume.split(":")[1] for volume in compose["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounts
    compose_host = source["url"].split("//")[1].split(":")[0]
    assert compose_host in compose["services"]
    scrape = loaded(folder / "prometheus" / "prometheus.yml")["scrape_configs"][0]
    assert scrape["metrics_path"] == "/metrics"
    assert scrape["static_configs"][0]["targets"] == ["model:8080"]


def test_promtool_takes_the_config_and_every_query(folder, judge, tmp_path):
    """The dashboard's queries too, as rules of their own."""
    shutil.copy(folder / "prometheus" / "alerts.yml", tmp_path)
    config = (folder / "prometheus" / "prometheus.yml").read_text()
    assert "[/etc/prometheus/alerts.yml]" in config
    (tmp_path / "prometheus.yml").write_text(config.replace("/etc/prometheus/", ""))
    ended, found = said_by(judge("promtool"), "check", "config", tmp_path / "prometheus.yml")
    assert (ended, "4 rules found" in found) == (0, True), found
    shown = [{"record": f"q:{at}", "expr": text} for at, text in enumerate(queries(folder))]
    (tmp_path / "shown.yml").write_text(json.dumps({"groups": [{"name": "shown", "rules": shown}]}))
    ended, found = said_by(judge("promtool"), "check", "rules", tmp_path / "shown.yml")
    assert (ended, f"{len(shown)} rules found" in found) == (0, True), found
    (tmp_path / "alerts.yml").write_text("groups: [{name: a, rules: [{alert: a, expr: sum(}]}]")
    assert said_by(judge("promtool"), "check", "config", tmp_path / "prometheus.yml")[0] == 1


WELL = {
    'up{job="JOB"}': "1+0x20",
    'qua3ck_ready{worker="worker-0"}': "1+0x20",
    'qua3ck_ledger_trusted{worker="worker-0"}': "1+0x20",
    'qua3ck_golden_failed{worker="worker-0"}': "0+0x20",
    'qua3ck_requests_total{arm="champion"}': "0+600x20",
    'qua3ck_errors_total{arm="champion"}': "0+5x20",
}
ILL = {
    "NotReady": {'qua3ck_ready{worker="worker-0"}': "1+0x5 0+0x15"},
    "LedgerNotTrusted": {'qua3ck_ledger_trusted{worker="worker-0"}': "1+0x5 0+0x15"},
    "GoldenRowsDiffer": {'qua3ck_golden_failed{worker="worker-0"}': "0+0x5 1+0x15"},
    "Errors": {'qua3ck_errors_total{arm="champion"}': "0+7x20"},
}


def fired(folder: Path, told: dict[str, str], at: str) -> dict:
    """Return a case for promtool: what was scraped each minute, and that no alert fires."""
    rules = loaded(folder / "prometheus" / "alerts.yml")["groups"][0]["rules"]
    job = re.search(r'job="([^"]+)"', rules[0]["expr"])[1]
    series = {name.replace("JOB", job): values for name, values in {**WELL, **told}.items()}
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": v} for name, v in series.items()],
        "alert_rule_test": [
            {"eval_time": at, "alertname": rule["alert"], "exp_alerts": []} for rule in rules
        ],
    }


def test_each_alert_comes_when_it_should_and_no_other(folder, judge, tmp_path):
    shutil.copy(folder / "prometheus" / "alerts.yml", tmp_path)
    rules = loaded(tmp_path / "alerts.yml")["groups"][0]["rules"]
    assert set(ILL) == {rule["alert"] for rule in rules}
    cases = [fired(folder, {}, "20m"), *(fired(folder, told, "5m") for told in ILL.values())]
    for name, told in ILL.items():
        cases.append(fired(folder, told, "20m"))
        (rule,) = [rule for rule in rules if rule["alert"] == name]
        (mine,) = [one for one in cases[-1]["alert_rule_test"] if one["alertname"] == name]
        mine["exp_alerts"] = [
            {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
        ]
    (tmp_path / "test.yml").write_text(json.dumps({"rule_files": ["alerts.yml"], "tests": cases}))
    ended, found = said_by(judge("promtool"), "test", "rules", tmp_path / "test.yml")
    assert ended == 0, found


def test_the_base_is_renewed_by_one_command(folder, tmp_path):
    """The script runs with a stand-in for docker that answers as a registry would."""
    for name in ("Dockerfile", "renew-base.sh"):
        shutil.copy(folder / name, tmp_path / name)
    stand_in = tmp_path / "bin" / "docker"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!/bin/sh\necho sha256:{'ab' * 32}\n")
    stand_in.chmod(0o755)
    env = {**os.environ, "PATH": f"{stand_in.parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", "./renew-base.sh"], cwd=tmp_path, env=env, check=True)
    found = steps((tmp_path / "Dockerfile").read_text())
    bases = [what.split()[0] for how, what in found if how == "FROM"]
    assert set(bases) == {f"python:3.12-slim-bookworm@sha256:{'ab' * 32}"}
    before = steps((folder / "Dockerfile").read_text())
    assert [one for one in found if one[0] != "FROM"] == [one for one in before if one[0] != "FROM"]
    stand_in.write_text("#!/bin/sh\necho 'no such image'\n")
    failed = subprocess.run(["sh", "./renew-base.sh"], cwd=tmp_path, env=env, check=False)
    assert failed.returncode == 2
    assert steps((tmp_path / "Dockerfile").read_text()) == found
