"""Who may do what, what must be true before a version goes into use, and the open workspace."""

from qua3ck.govern.aliases import AliasMove, alias_at, alias_history
from qua3ck.govern.approvals import Approval, approvals, approve, release_entry
from qua3ck.govern.gates import Gate, gates, needed_approvals
from qua3ck.govern.people import Person, enrol, people, person
from qua3ck.govern.risk import risk_class
from qua3ck.govern.roles import require
from qua3ck.govern.workspace import Progress, Workspace, open_workspace

__all__ = [
    "AliasMove",
    "Approval",
    "Gate",
    "Person",
    "Progress",
    "Workspace",
    "alias_at",
    "alias_history",
    "approvals",
    "approve",
    "enrol",
    "gates",
    "needed_approvals",
    "open_workspace",
    "people",
    "person",
    "release_entry",
    "require",
    "risk_class",
]
