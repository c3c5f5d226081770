"""``python -m unprune``: the same as the command ``unprune``."""

import sys

from unprune.cli import main

if __name__ == "__main__":
    sys.exit(main())
