#!/bin/bash
# librarian run, from this checkout, for a table of cron jobs that you write yourself:
#     */10 * * * * /path/to/librarian/scripts/run.sh --config /path/to/librarian.toml
# LIBRARIAN_MODULES names modules to load first, LIBRARIAN_PYTHON the Python to use.
. "$(dirname "$(readlink -f "$0")")/scheduled" run "$@"
