"""How a served project is asked: by http or https, with a key or without, as its file declares.

The health check asks over 127.0.0.1, a name that no certificate has, so there alone it goes
unchecked. Prometheus trusts the declared certificate and nothing else, under a name in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError

_READY = "127.0.0.1:8080/v2/health/ready"
_ASK = "import urllib.request; urllib.request.urlopen('http://{ready}', timeout=2)"
_ASK_TLS = (
    "import ssl, urllib.request; c = ssl.create_default_context(); c.check_hostname = False;"
    " c.verify_mode = ssl.CERT_NONE;"
    " urllib.request.urlopen('https://{ready}', timeout=2, context=c)"
)
_CA = "/etc/prometheus-tls/serving.pem"
_KEY = "/etc/prometheus-key"
_PROJECT = "${QUA3CK_PROJECT:?set it to the folder of the project}"
_KEY_FILE = "${QUA3CK_SCRAPE_KEY:?set it to a file with a key of scope read}"

_EXPORT_KEY = (
    "\nexport QUA3CK_SCRAPE_KEY=/path/to/key      # a file with a key of scope read; see below"
)


@dataclass(frozen=True)
class Serving:
    """What ``operate.serve`` declares of TLS (paths as written, or empty) and keys."""

    cert: str = ""
    key: str = ""
    api_keys: bool = False

    def facts(self) -> dict[str, str]:
        """Return what the templates are filled with, whatever the place."""
        asked = _ASK_TLS if self.cert else _ASK
        plain = not self.cert and not self.api_keys
        return {
            "SCHEME": "https" if self.cert else "http",
            "SERVICE_PORT": "443" if self.cert else "80",
            "HEALTH": asked.format(ready=_READY),
            "PROBE": ", scheme: HTTPS" if self.cert else "",
            "SCRAPED": "true" if plain else "false",
            "INSECURE": " -k" if self.cert else "",
            "KEY_FILE": "QUA3CK_SCRAPE_KEY=... " if self.api_keys else "",
            "EXPORT_KEY": _EXPORT_KEY if self.api_keys else "",
        }

    def compose_facts(self, root: Path, slug: str) -> dict[str, str]:
        """Return what compose file and Prometheus are filled with as well.

        Raises
        ------
        Qua3ckError
            If the certificate is not there, or names nobody that could be asked for.
        """
        scrape: list[str] = []
        mounts: list[str] = []
        if self.cert:
            name = _certified(root / self.cert, slug)
            scrape += ["scheme: https", f'tls_config: {{ca_file: {_CA}, server_name: "{name}"}}']
            mounts.append(f"{_outside(self.cert)}:{_CA}:ro")
        if self.api_keys:
            scrape.append(f"authorization: {{type: Bearer, credentials_file: {_KEY}}}")
            mounts.append(f"{_KEY_FILE}:{_KEY}:ro")
        own = [f"{one}:{one}:ro" for one in (self.cert, self.key) if one.startswith("/")]
        return {
            "SCRAPE": "".join(f"\n    {line}" for line in scrape),
            "SCRAPE_FILES": _volumes(mounts),
            "TLS_FILES": _volumes(own),
        }


def declared_serving(project_file: Path) -> Serving:
    """Return what a project file declares of its server."""
    from ruamel.yaml import YAML

    said = YAML(typ="safe").load(project_file.read_text(encoding="utf-8"))
    serve: Mapping[str, Any] = ((said or {}).get("operate") or {}).get("serve") or {}
    tls = serve.get("tls") or {}
    return Serving(
        cert=str(tls.get("cert", "")),
        key=str(tls.get("key", "")),
        api_keys=serve.get("api_keys") is True,
    )


def _outside(path: str) -> str:
    """Return where a file of the project lies on the machine that runs the containers."""
    return path if path.startswith("/") else f"{_PROJECT}/{path}"


def _volumes(mounts: list[str]) -> str:
    return "".join(f'\n      - "{one}"' for one in mounts)


def _certified(path: Path, slug: str) -> str:
    """Return a name that the certificate is made out to."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())[0]
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        told = names.get_values_for_type(x509.DNSName)
        told += [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    except (OSError, ValueError, x509.ExtensionNotFound) as problem:
        raise Qua3ckError(
            f"Prometheus cannot be told whom to trust: {path.name} is not there, or is no"
            " certificate with a name in subjectAltName",
            where="the project file: operate.serve.tls.cert",
            fix="put the certificate there, then qua3ck export docker again",
        ) from problem
    first: str = told[0]
    return first.replace("*", slug, 1)
