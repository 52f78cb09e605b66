"""What leaves the warehouse for dashboards and spreadsheets."""

from qua3ck.understand.publish.handing import Handed, publish

__all__ = ["Handed", "publish"]
