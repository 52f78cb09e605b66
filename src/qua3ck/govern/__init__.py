"""Who may do what, what must be true before a version goes into use, and the open workspace."""

from qua3ck.govern.aliases import AliasMove, alias_at, alias_history
from qua3ck.govern.approvals import (
    Approval,
    approvals,
    approve,
    approve_question,
    question_approvals,
    release_entry,
)
from qua3ck.govern.gates import Gate, gates, needed_approvals
from qua3ck.govern.people import Person, enrol, people, person
from qua3ck.govern.releases import Release, find_release, list_releases, model_folder
from qua3ck.govern.risk import risk_class
from qua3ck.govern.roles import require
from qua3ck.govern.workspace import Progress, Workspace, open_workspace

__all__ = [
    "AliasMove",
    "Approval",
    "Gate",
    "Person",
    "Progress",
    "Release",
    "Workspace",
    "alias_at",
    "alias_history",
    "approvals",
    "approve",
    "approve_question",
    "enrol",
    "find_release",
    "gates",
    "list_releases",
    "model_folder",
    "needed_approvals",
    "open_workspace",
    "people",
    "person",
    "question_approvals",
    "release_entry",
    "require",
    "risk_class",
]
