"""`python -m edge_digits` is `edge-digits`. Worker processes import this module again, so it acts only as the main one."""

import sys

from edge_digits.cli import main

if __name__ == "__main__":
    sys.exit(main())
