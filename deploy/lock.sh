#!/bin/sh
# Renew deploy/requirements*.txt from pyproject.toml: exact versions with hashes for every platform
# and Python that the package allows, and no registry's address.
set -eu
cd "$(dirname "$0")"
lock() {
    uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-strip-extras --quiet --upgrade "$@"
}
lock ../pyproject.toml -o requirements.txt
lock --group ../pyproject.toml:build -c requirements.txt -o requirements-build.txt
lock --group ../pyproject.toml:node -c requirements.txt -o requirements-node.txt
lock --group ../pyproject.toml:test --group ../pyproject.toml:lint -c requirements.txt \
    -o requirements-dev.txt
lock --group ../pyproject.toml:audit -o requirements-audit.txt
! grep -l '://' requirements*.txt
