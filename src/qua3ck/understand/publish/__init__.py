"""What leaves the warehouse for dashboards and spreadsheets."""

from qua3ck.understand.publish.handing import Handed, Known, publish

__all__ = ["Handed", "Known", "publish"]
