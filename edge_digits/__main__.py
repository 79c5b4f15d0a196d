"""`python -m edge_digits` is `edge-digits`. Worker processes import this module again, so it acts only as the main one."""

from edge_digits.cli import entry

if __name__ == "__main__":
    entry()
