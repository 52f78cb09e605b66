from pathlib import Path

import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.ledger import places

MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/ana/local ext4 rw 0 0
//server/share /mnt/our\\040share cifs rw 0 0
me@host:/x /mnt/far fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/project", "ext4"),
        ("/home/ana/project", "nfs4"),
        ("/home/ana/local/project", "ext4"),
        ("/homework", "ext4"),
        ("/mnt/our share/project", "cifs"),
        ("/mnt/far/x", "fuse.sshfs"),
    ],
)
def test_the_nearest_mount_names_the_file_system(folder, kind):
    assert places.file_system(Path(folder), MOUNTS) == kind


@pytest.fixture
def shared(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(places, "_MOUNTS", mounts)


def test_a_network_share_is_refused_unless_declared(tmp_path, shared):
    with pytest.raises(Qua3ckError, match="network share") as caught:
        places.refuse_network_share(tmp_path, environment={})
    assert caught.value.code == "L001"
    assert "QUA3CK_NETWORK_SHARE=allow" in caught.value.fix
    places.refuse_network_share(tmp_path, environment={"QUA3CK_NETWORK_SHARE": "allow"})


def test_a_ledger_on_a_share_does_not_append(make, shared, monkeypatch):
    monkeypatch.delenv("QUA3CK_NETWORK_SHARE", raising=False)
    with pytest.raises(Qua3ckError, match="network share"):
        make().append("question.set", "demo", {})


def test_an_unknown_platform_is_not_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_MOUNTS", tmp_path / "none")
    places.refuse_network_share(tmp_path, environment={})
