"""The web view: what a project decides, on what evidence, shown to people who read no code."""

from qua3ck.app.starting import Start, start, users_file

__all__ = ["Start", "start", "users_file"]
