#!/bin/sh
# Ask the advisory service about the pinned packages: exit code 1 for a known weakness. Where the
# service does not know a package, or does not answer, that is said; a failure only with STRICT=1.
set -eu
cd "$(dirname "$0")"
ask() { pip-audit --disable-pip --require-hashes --progress-spinner off -r "$@"; }
code=0
for list in requirements*.txt; do
    # What is wrong with the list itself is no silence of the service.
    said=$(ask "$list" --dry-run 2>&1) || { echo "$said" >&2; exit 1; }
    echo "$list" >&2
    if report=$(ask "$list" --strict); then
        continue
    elif [ -n "$report" ]; then
        echo "$report"
        code=1
    else
        echo "Not audited: ask from a machine that reaches the advisory service." >&2
        exit $((code || ${STRICT:-0}))
    fi
done
exit $code
