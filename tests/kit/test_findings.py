from dataclasses import replace

from qua3ck.kit import Finding


def test_an_accepted_finding_stays_to_be_read_but_no_longer_blocks():
    finding = Finding("U001", "block", "table", "says")
    assert finding.blocks
    assert not replace(finding, accepted="known and harmless").blocks
    assert not replace(finding, severity="warn").blocks
