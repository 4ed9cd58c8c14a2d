"""`python -m librarian`: the command without an installation."""

import sys

from librarian.cli import main

if __name__ == "__main__":
    sys.exit(main())
