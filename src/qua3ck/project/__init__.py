"""Reads the project file, plans which phases are stale, and runs them in order."""

from qua3ck.project.file import ProjectFile, json_schema
from qua3ck.project.project import Project, open_project
from qua3ck.project.starting import start_project
from qua3ck.project.status import candidate_line, snapshot_line

__all__ = [
    "Project",
    "ProjectFile",
    "candidate_line",
    "json_schema",
    "open_project",
    "snapshot_line",
    "start_project",
]
