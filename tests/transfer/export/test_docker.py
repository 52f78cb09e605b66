"""The container: own rules, the schema of compose files, and metrics that exist.

Judges: hadolint, promtool, the schema of the Compose Specification, and what ``qua3ck serve``
really gives as metrics.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ruamel.yaml import YAML

from qua3ck.kit.errors import Qua3ckError
from qua3ck.transfer.export import export

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


def test_every_package_that_faces_the_network_has_the_hashes_of_our_own_lock(folder):
    text = (folder / "requirements-serve.txt").read_text()
    pins = dict(
        re.findall(r"^([\w-]+)==(?:.*)((?:\n    --hash=sha256:[0-9a-f]{64}.*)*)", text, re.M)
    )
    assert {"httptools", "msgspec", "uvicorn", "uvloop"} <= set(pins)
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    for name, said in pins.items():
        ours = re.search(rf"^{name}==.*((?:\n    --hash=.*)+)", lock, re.M)
        assert ours[0].split()[0] in text, f"requirements/dev.txt has another {name} by now"
        found = set(re.findall("sha256:[0-9a-f]{64}", said))
        assert found == set(re.findall("sha256:[0-9a-f]{64}", ours[1])) != set()
    runs = [what for how, what in steps((folder / "Dockerfile").read_text()) if how == "RUN"]
    installs = [one for one in " && ".join(runs).split(" && ") if "pip install" in one]
    assert ["--require-hashes" in one for one in installs] == [True, True, False]
    assert "wheels/" in installs[2], "the wheel lies beside, by its bytes"


def test_all_that_serving_needs_is_in_one_of_the_two_files(folder):
    """Those it adds need nothing that is in neither; and what it adds is what we declare."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    both = (folder / "requirements-serve.txt").read_text()
    pins = dict(re.findall(r"^([\w-]+)==([^\s;]+)", both, re.M))
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for need in map(Requirement, declared["optional-dependencies"]["serve"]):
        assert need.specifier.contains(Version(pins[need.name]))
    for name in pins:
        for line in metadata.requires(name) or ():
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert re.sub("[._]", "-", need.name).lower() in pins


def test_what_the_version_pins_already_is_not_pinned_twice(project, release, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    lock = root / "releases" / "2" / "requirements.txt"
    own = lock.read_text()
    lock.write_text(own + "uvicorn==0.40.0 \\\n    --hash=sha256:" + "1" * 64 + "\n")
    made = export("docker", root=root, project="x", release=release, to=tmp_path / "to")
    serve = (made.folder / "requirements-serve.txt").read_text()
    assert "uvicorn" not in serve
    assert serve.count("httptools==") == 1
    assert not [one for one in made.untested if "without hashes" in one]
    lock.write_text("# 1 of 2 versions are not in a hashed lock\nnumpy==2.3.0\n")
    made = export("docker", root=root, project="x", release=release, to=tmp_path / "bare")
    assert [one for one in made.untested if "without hashes" in one]
    assert "without hashes" in (made.folder / "README.md").read_text()


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


@pytest.fixture
def guarded(project, release, tmp_path):
    """An export of a project with TLS and API keys; the certificate is made out to a name."""
    root = tmp_path / "guarded"
    shutil.copytree(project, root)
    certify(root / "tls", "models.example.org")
    (root / "qua3ck.yaml").write_text(
        "project: Stock_outs\noperate:\n  serve:\n    api_keys: true\n"
        "    tls: {cert: tls/chain.pem, key: tls/private.pem}\n"
    )
    return export("docker", root=root, project="Stock_outs", release=release, to=tmp_path / "to")


def certify(folder: Path, name: str) -> None:
    """Write a certificate that nobody else has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(7).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "private.pem").write_bytes(private)


def health_check(folder: Path, port: int) -> list[str]:
    """Return the command of the health check, asking at a port of this machine."""
    found = steps((folder / "Dockerfile").read_text())
    command = json.loads(next(w for h, w in found if h == "HEALTHCHECK").split("CMD ")[1])
    assert command[0] == "python"
    return [sys.executable, *(word.replace(":8080", f":{port}") for word in command[1:])]


class _Ready(BaseHTTPRequestHandler):
    ready = True

    def do_GET(self):
        self.send_response(200 if self.ready and self.path == "/v2/health/ready" else 503)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def answering(*, ready: bool, tls: Path | None = None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Now", (_Ready,), {"ready": ready}))
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "chain.pem", tls / "private.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("ready", [True, False])
def test_the_health_check_asks_as_the_server_answers(folder, guarded, ready):
    tls = guarded.folder.parent / "guarded" / "tls"
    for place, with_tls in ((folder, None), (guarded.folder, tls)):
        with answering(ready=ready, tls=with_tls) as port:
            command = health_check(place, port)
            ended = subprocess.run(command, capture_output=True, check=False).returncode
            assert (ended == 0) is ready


def test_only_the_own_address_is_asked_without_checking_the_certificate(guarded):
    for name in guarded.files:
        if name.endswith((".whl", "README.md")):
            continue
        text = (guarded.folder / name).read_text()
        assert "insecure_skip_verify" not in text
        if "CERT_NONE" in text:
            assert set(re.findall(r"https://([\d.a-z]+)", text)) == {"127.0.0.1"}


def test_prometheus_asks_by_https_with_a_key_under_the_name_in_the_certificate(
    guarded, judge, tmp_path
):
    scrape = loaded(guarded.folder / "prometheus" / "prometheus.yml")["scrape_configs"][0]
    assert scrape["scheme"] == "https"
    assert scrape["tls_config"]["server_name"] == "models.example.org"
    assert scrape["authorization"]["type"] == "Bearer"
    compose = loaded(guarded.folder / "compose.yaml")
    told = compose["services"]["prometheus"]["volumes"]
    mounted = {one.removesuffix(":ro").rsplit(":", 1)[1]: one for one in told}
    ca, key = scrape["tls_config"]["ca_file"], scrape["authorization"]["credentials_file"]
    assert "/tls/chain.pem:" in mounted[ca]
    assert "QUA3CK_SCRAPE_KEY" in mounted[key]
    assert not any("private.pem" in one for one in told), "the private key stays with the server"
    shutil.copy(guarded.folder / "prometheus" / "alerts.yml", tmp_path)
    shutil.copy(guarded.folder.parent / "guarded" / "tls" / "chain.pem", tmp_path / "ca.pem")
    (tmp_path / "key").write_text("q3_x")
    config = (guarded.folder / "prometheus" / "prometheus.yml").read_text()
    config = config.replace("/etc/prometheus/", "").replace(ca, "ca.pem").replace(key, "key")
    (tmp_path / "prometheus.yml").write_text(config)
    ended, found = said_by(judge("promtool"), "check", "config", tmp_path / "prometheus.yml")
    assert ended == 0, found
    assert said_by(judge("hadolint"), guarded.folder / "Dockerfile") == (0, "")


@pytest.mark.parametrize("served", ["folder", "guarded"])
def test_the_commands_in_the_readme_set_all_that_the_compose_file_insists_on(served, request):
    place = request.getfixturevalue(served)
    place = place if isinstance(place, Path) else place.folder
    needed = set(re.findall(r"\$\{(\w+):\?", (place / "compose.yaml").read_text()))
    commands = (place / "README.md").read_text().split("```sh\n")[1].split("```")[0]
    assert set(re.findall(r"^export (\w+)=", commands, re.MULTILINE)) == needed


def test_the_compose_file_of_a_guarded_server_fits_the_specification(guarded):
    schema = pytest.importorskip("check_jsonschema").__file__
    spec = Path(schema).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    import jsonschema

    jsonschema.validate(loaded(guarded.folder / "compose.yaml"), json.loads(spec.read_text()))


def test_files_for_tls_outside_of_the_project_are_mounted_where_they_are(
    project, release, tmp_path
):
    root, outside = tmp_path / "project", tmp_path / "certs"
    shutil.copytree(project, root)
    certify(outside, "*.example.org")
    (root / "qua3ck.yaml").write_text(
        f"operate: {{serve: {{tls: {{cert: {outside}/chain.pem, key: {outside}/private.pem}}}}}}\n"
    )
    made = export("docker", root=root, project="loans", release=release, to=tmp_path / "to")
    compose = loaded(made.folder / "compose.yaml")
    told = compose["services"]["model"]["volumes"]
    for name in ("chain.pem", "private.pem"):
        assert f"{outside}/{name}:{outside}/{name}:ro" in told
    scrape = loaded(made.folder / "prometheus" / "prometheus.yml")["scrape_configs"][0]
    assert scrape["tls_config"]["server_name"] == "loans.example.org"
    assert "authorization" not in scrape


def test_a_certificate_that_is_not_there_is_asked_for(project, release, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    (root / "qua3ck.yaml").write_text("operate: {serve: {tls: {cert: no.pem, key: no.pem}}}\n")
    with pytest.raises(Qua3ckError, match=r"no\.pem is not there"):
        export("docker", root=root, project="loans", release=release, to=tmp_path / "to")


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
