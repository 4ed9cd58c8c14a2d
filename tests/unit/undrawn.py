"""`python -m librarian` with pictures that nobody draws, for tests of the command line that do not look at them."""

import sys

import pytest

from librarian.cli import main
from tests.unit.cycles import leave_out_pictures

if __name__ == "__main__":
    leave_out_pictures(pytest.MonkeyPatch())
    sys.exit(main())
