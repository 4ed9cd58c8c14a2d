#!/bin/bash
# librarian watchdog, from this checkout; it looks after the entries that `librarian scrontab install` has put in.
#     */5 * * * * /path/to/librarian/scripts/watchdog.sh --config /path/to/librarian.toml
# LIBRARIAN_MODULES names modules to load first, LIBRARIAN_PYTHON the Python to use.
. "$(dirname "$(readlink -f "$0")")/scheduled" watchdog "$@"
