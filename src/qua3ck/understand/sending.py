"""The section ``understand`` on its way to the child process: what was declared, and no more.

Whether a key was declared matters, not only its value: one heading line that nobody declared is
looked at before it is believed, and ``header: 1`` is taken at its word. So what was left out is
not sent, and is left out at the other end, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qua3ck.understand.section import Understand


def sent(section: Understand) -> dict[str, Any]:
    """Return a section as JSON-able facts: the keys that were declared, at every depth."""
    return section.model_dump(mode="json", exclude_unset=True)


def received(facts: Mapping[str, Any]) -> Understand:
    """Return the section that :func:`sent` made the facts of, with the same keys declared."""
    return Understand.model_validate_json(json.dumps(facts))
