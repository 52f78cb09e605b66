"""Starts the view: one Streamlit process on this machine, and what it is told.

It listens on 127.0.0.1 and, while nobody has to sign in, asks for a secret that only who
started it can know: on a shared machine a port is open to everybody. Nothing that is secret
stands on the command line, where other users could read it.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from qua3ck.app.users import read_users
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need

ENVIRONMENT = "QUA3CK_APP"
_LAST_PORT = 65535
_PAGE = Path(__file__).parent / "entry" / "page.py"
_THEME: Mapping[str, str] = {
    "base": "light",
    "primaryColor": "#1f4f8f",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f4f6f9",
    "textColor": "#1b2230",
    "linkColor": "#1f4f8f",
    "borderColor": "#c4cbd7",
    "font": "sans-serif",
    "headingFont": "serif",
    "codeFont": "monospace",
    "baseRadius": "4px",
    "buttonRadius": "4px",
    "showWidgetBorder": "true",
    "sidebar.backgroundColor": "#14243c",
    "sidebar.secondaryBackgroundColor": "#1d3252",
    "sidebar.textColor": "#eef2f8",
    "sidebar.primaryColor": "#9cc2f5",
    "sidebar.linkColor": "#cfe0f7",
    "sidebar.borderColor": "#5b718f",
}
_SERVER: Mapping[str, str] = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "server.maxUploadSize": "50",
    "server.enableXsrfProtection": "true",
    "server.enableCORS": "true",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.disableDataExport": "true",
    "logger.level": "warning",
    "runner.magicEnabled": "false",
}


@dataclass(frozen=True)
class Told:
    """What the process that shows the view is told.

    Attributes
    ----------
    root : str
        The project's folder.
    actor : str
        Who acts while nobody has to sign in; empty for the login name.
    users : str
        The file of users; it need not be there.
    token : str
        The secret asked for while nobody has to sign in.
    """

    root: str
    actor: str = ""
    users: str = ""
    token: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Told:
        """Return what this process was told."""
        env = os.environ if environment is None else environment
        return cls(**json.loads(env[ENVIRONMENT]))


@dataclass(frozen=True)
class Start:
    """A command, its environment, and the address to open."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str


def users_file(project_id: str) -> Path:
    """Return where the users of a project's view are kept: beside the keys, never inside it."""
    from qua3ck.store.keys import KeyStore

    return KeyStore.default().folder / "app" / f"{project_id}.json"


def start(
    root: Path, *, users: Path, actor: str = "", host: str = "127.0.0.1", port: int = 8501
) -> Start:
    """Return how the view of a project is started.

    Parameters
    ----------
    root : Path
        The project's folder.
    users : Path
        The file of users.
    actor : str
        Who acts while nobody has to sign in.
    host : str
        Where to listen; beyond this machine only if people have to sign in.
    port : int
        0 takes a free one.

    Raises
    ------
    Qua3ckError
        If Streamlit is not installed, others could reach it without signing in (V001), or
        the port is taken (V005).
    """
    need("streamlit", extra="app", what="the web view")
    signed = bool(read_users(users))
    if not signed and not _loopback(host):
        raise Qua3ckError(
            f"On {host} others could reach the view, and nobody has to sign in",
            where=f"--host {host}",
            fix="set up users first: qua3ck app --add-user NAME; or leave --host away",
            code="V001",
        )
    port = _free(host, port)
    token = "" if signed else secrets.token_urlsafe(24)
    told = Told(str(root), actor, str(users), token)
    options = {**_SERVER, "server.address": host, "server.port": str(port)}
    options |= {f"theme.{name}": value for name, value in _THEME.items()}
    command = (
        *(sys.executable, "-m", "streamlit", "run", str(_PAGE)),
        *(f"--{name}={value}" for name, value in options.items()),
    )
    environment = {**os.environ, ENVIRONMENT: json.dumps(asdict(told))}
    shown = f"[{host}]" if ":" in host else host
    suffix = f"?token={token}" if token else ""
    return Start(command, environment, f"http://{shown}:{port}/{suffix}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _free(host: str, port: int) -> int:
    """Return the port, or a free one for 0; refuse one that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as problem:
            beside = port + 1 if port < _LAST_PORT else port - 1
            raise Qua3ckError(
                f"Port {port} on {host} cannot be used: {problem.strerror}",
                where=f"--port {port}",
                fix=f"name another one: qua3ck app --port {beside}",
                code="V005",
            ) from problem
        return int(trial.getsockname()[1])
