"""The manifests, held against the schemas that the cluster's own API is made of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from qua3ck.transfer.export import export

PLAIN = ("deployment.yaml", "service.yaml", "storage.yaml", "network-policy.yaml")


def loaded(path: Path) -> dict:
    return YAML(typ="safe").load(path.read_text())


@pytest.fixture
def folder(exported) -> Path:
    return exported("kubernetes").folder


@pytest.mark.parametrize("name", PLAIN)
def test_a_manifest_fits_the_strict_schema(folder, name):
    judge = pytest.importorskip("kubernetes_validate")
    judge.validate(loaded(folder / name), judge.latest_version(), strict=True)


def test_the_judge_would_find_a_mistake(folder):
    judge = pytest.importorskip("kubernetes_validate")
    wrong = loaded(folder / "deployment.yaml")
    wrong["spec"]["template"]["spec"]["runAsNonRoot"] = True
    with pytest.raises(judge.ValidationError):
        judge.validate(wrong, judge.latest_version(), strict=True)


def test_the_pod_under_kserve_is_a_pod(folder):
    judge = pytest.importorskip("kubernetes_validate")
    service = loaded(folder / "kserve" / "inference-service.yaml")
    assert (service["apiVersion"], service["kind"]) == (
        "serving.kserve.io/v1beta1",
        "InferenceService",
    )
    predictor = dict(service["spec"]["predictor"])
    own = {key: predictor.pop(key) for key in ("minReplicas", "maxReplicas")}
    assert all(isinstance(value, int) for value in own.values())
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"], "spec": predictor}
    judge.validate(pod, judge.latest_version(), strict=True)
    (container,) = predictor["containers"]
    assert container["name"] == "kserve-container"


def test_both_run_the_same_pod(folder):
    deployment = loaded(folder / "deployment.yaml")["spec"]["template"]["spec"]
    kserve = loaded(folder / "kserve" / "inference-service.yaml")["spec"]["predictor"]
    for key in ("image", "args", "resources", "securityContext", "volumeMounts"):
        assert deployment["containers"][0][key] == kserve["containers"][0][key], key
    assert deployment["securityContext"] == kserve["securityContext"]
    assert deployment["volumes"] == kserve["volumes"]


def test_the_pod_has_no_right_that_it_does_not_need(folder):
    pod = loaded(folder / "deployment.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    policy = loaded(folder / "network-policy.yaml")["spec"]
    assert policy["egress"] == []


def test_every_manifest_is_applied_and_names_fit_together(folder):
    listed = loaded(folder / "kustomization.yaml")["resources"]
    assert set(listed) == set(PLAIN)
    claim = loaded(folder / "storage.yaml")["metadata"]["name"]
    volumes = loaded(folder / "deployment.yaml")["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["persistentVolumeClaim"]["claimName"] == claim
    labels = loaded(folder / "deployment.yaml")["spec"]["selector"]["matchLabels"]
    assert loaded(folder / "service.yaml")["spec"]["selector"] == labels
    assert loaded(folder / "network-policy.yaml")["spec"]["podSelector"]["matchLabels"] == labels


@pytest.mark.parametrize(
    ("declared", "scheme", "probe", "scraped"),
    [
        ("{}", "http", None, "true"),
        ("{api_keys: true}", "http", None, "false"),
        ("{tls: {cert: tls/a.pem, key: tls/b.pem}}", "https", "HTTPS", "false"),
    ],
)
def test_probes_and_service_ask_as_the_project_file_has_the_server_answer(
    project, release, tmp_path, declared, scheme, probe, scraped
):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    (root / "qua3ck.yaml").write_text(f"operate: {{serve: {declared}}}\n")
    made = export("kubernetes", root=root, project="loans", release=release, to=tmp_path / "to")
    judge = pytest.importorskip("kubernetes_validate")
    for name in PLAIN:
        judge.validate(loaded(made.folder / name), judge.latest_version(), strict=True)
    template = loaded(made.folder / "deployment.yaml")["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/scrape"] == scraped
    kserve = loaded(made.folder / "kserve" / "inference-service.yaml")["spec"]["predictor"]
    (container,) = template["spec"]["containers"]
    for one in (container, kserve["containers"][0]):
        for kind in ("livenessProbe", "readinessProbe"):
            assert one[kind]["httpGet"].get("scheme") == probe
    (port,) = loaded(made.folder / "service.yaml")["spec"]["ports"]
    (opened,) = container["ports"]
    assert (port["name"], port["targetPort"], opened["name"]) == (scheme,) * 3
