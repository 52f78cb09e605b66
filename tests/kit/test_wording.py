"""A reason that is kept for good is one line that can be read."""

from __future__ import annotations

import pytest

from qua3ck.kit.wording import one_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  they renamed\r\n it ", "they renamed it"),
        ("a\u2028b\x00c\x1b", "a b c"),
        ("Zoë’s café: été", "Zoë’s café: été"),
        (" \n\t\u200b\u00a0", ""),
    ],
)
def test_a_reason_is_one_line_of_signs_that_can_be_seen(typed, kept):
    assert one_line(typed) == kept
