"""The places a project can be handed over to: how their files are tested, and what is not."""

from __future__ import annotations

from collections.abc import Mapping

from qua3ck.transfer.export.records import Kind

_NO_BUILD = "No image was built and no container started: no registry and no daemon is at hand."

KINDS: Mapping[str, Kind] = {
    "docker": Kind(
        says="a container image, with Prometheus and Grafana beside it",
        files=(
            "Dockerfile",
            "Dockerfile.dockerignore",
            "compose.yaml",
            "renew-base.sh",
            "prometheus/prometheus.yml",
            "prometheus/alerts.yml",
            "grafana/provisioning/datasources/prometheus.yml",
            "grafana/provisioning/dashboards/dashboards.yml",
            "grafana/dashboards/serving.json",
        ),
        tested=(
            "The Dockerfile against our own rules (base by digest, not root, health check, no cache"
            " of pip, hashes required) and by hadolint 2.15, with every change of qua3ck.",
            "The compose file against the schema of the Compose Specification.",
            "Every query of the dashboard and of the alerts names a metric that qua3ck serve has;"
            " promtool takes them all, and each alert fires when it should and no other.",
            "Every package of requirements-serve.txt has hashes, those of our own lock; they were"
            " installed by them once, by hand.",
            "The health check of the Dockerfile is run against a server with TLS and one without;"
            " with TLS and keys the scraping is taken by promtool.",
            "The wheel by installing it into an empty place; renew-base.sh against a stand-in.",
            "Once, by hand: the steps of the Dockerfile typed into an empty environment of the same"
            " Python; its command then served, the health check passed, a request was answered.",
        ),
        untested=(
            _NO_BUILD,
            "The digest of the base comes from public Dockerfiles and was not pulled by us; it"
            " grows old. Type ./renew-base.sh before the first build, and monthly.",
            "The images of Prometheus and Grafana are pinned by tag only.",
        ),
        next="cd @FOLDER@ && ./renew-base.sh && QUA3CK_PROJECT=@ROOT@ @KEY_FILE@"
        "GRAFANA_PASSWORD=... docker compose up --build",
        serves=True,
        wheel=True,
    ),
    "kubernetes": Kind(
        says="manifests for Kubernetes, and a KServe InferenceService",
        files=(
            "kustomization.yaml",
            "deployment.yaml",
            "service.yaml",
            "storage.yaml",
            "network-policy.yaml",
            "kserve/inference-service.yaml",
        ),
        tested=(
            "Each manifest against the strict schemas of Kubernetes 1.37 (kubernetes-validate).",
            "The pod inside the InferenceService against the schema of a pod; its own keys against"
            " those that KServe documents for v1beta1.",
        ),
        untested=(
            "Nothing was applied to a cluster; KServe's own admission was not asked.",
            "The image must be built first: qua3ck export docker.",
            "Volumes that several nodes can write (NFS, SMB) are refused by the ledger, so one pod"
            " serves with several workers.",
        ),
        next="cd @FOLDER@ && kubectl apply -k . --dry-run=server",
        serves=True,
    ),
    "github": Kind(
        says="a workflow for GitHub Actions",
        files=(".github/workflows/qua3ck.yml", ".github/qua3ck-state.sh"),
        tested=(
            "Against GitHub's schema of workflows and by actionlint 1.7, with every change of"
            " qua3ck; zizmor 1.32 found nothing.",
            "The order of its steps, and that each qua3ck verb in it exists with these options.",
        ),
        untested=(
            "No runner ran it; secrets, the environment production and its reviewers are yours to"
            " set up.",
            "There is no verb yet that measures drift; qua3ck check and qua3ck audit verify stand"
            " where that gate belongs (step gate).",
        ),
        next="cp -r @FOLDER@/.github ., in the root of your repository",
    ),
    "airflow": Kind(
        says="a DAG for Apache Airflow 3",
        files=("dags/qua3ck_dag.py",),
        tested=(
            "Imported against stand-ins of the classes it uses, with every change of qua3ck: the"
            " order of tasks, and that each verb exists with these options. Imported and"
            " serialised once by Airflow 3.3 itself.",
        ),
        untested=("No scheduler ran it.",),
        next="copy @FOLDER@/dags to where Airflow looks for DAGs, and set QUA3CK_PROJECT",
    ),
    "dagster": Kind(
        says="definitions for Dagster",
        files=("definitions.py",),
        tested=(
            "Imported against stand-ins of the classes it uses, with every change of qua3ck: the"
            " order of assets, and that each verb exists with these options. All assets were made"
            " once by Dagster 1.13 itself on a real project.",
        ),
        untested=("No daemon ran it on a schedule.",),
        next="cd @FOLDER@ && QUA3CK_PROJECT=@ROOT@ dagster dev -f definitions.py",
    ),
    "streamlit": Kind(
        says="a folder for Streamlit Community Cloud",
        files=(
            "streamlit_app.py",
            ".streamlit/config.toml",
            ".streamlit/secrets.toml.example",
        ),
        tested=(
            "The page is run by Streamlit's own test runner without its secret, with every change"
            " of qua3ck; with it, once by hand.",
            "No file of data, no key and no sealed row is in the folder.",
        ),
        untested=(
            "It was not deployed. Community Cloud is public unless you restrict who may see it.",
            "The page Data is empty: the warehouse does not go along.",
        ),
        next="put @FOLDER@ into a repository of its own; README.md says how to go on",
        carries=("ledger", "people", "releases", "contracts"),
        wheel=True,
    ),
}
