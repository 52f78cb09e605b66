"""What is looked for in the training rows and across the split; each answer is a finding."""

from qua3ck.understand.checks.across import check_across
from qua3ck.understand.checks.leaks import check_leaks
from qua3ck.understand.checks.quality import check_quality
from qua3ck.understand.checks.structure import check_structure
from qua3ck.understand.checks.view import View

__all__ = ["View", "check_across", "check_leaks", "check_quality", "check_structure"]
