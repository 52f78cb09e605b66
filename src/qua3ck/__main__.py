"""``python -m qua3ck`` is ``qua3ck``."""

import sys

from qua3ck.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
