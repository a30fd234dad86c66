#!/bin/sh
# `gridmerit` for root: a command as the service's account, with the settings of whatever runs here.
# Copy it to /usr/local/bin/gridmerit. A DATABASE_URL given with the command goes before the files'.
if [ "$(id -u)" -ne 0 ]; then
    echo "gridmerit：请用 root 运行（sudo gridmerit …）。" >&2
    exit 2
fi
given=$DATABASE_URL
set -a
GRIDMERIT_DATA_DIR=/var/lib/gridmerit/data
for file in environment points appraisal scheduler; do
    [ ! -f "/etc/gridmerit/$file" ] || . "/etc/gridmerit/$file"
done
GRIDMERIT_SECRET_KEY=${GRIDMERIT_SECRET_KEY:-$(cat /etc/gridmerit/secret-key 2>/dev/null || :)}
DATABASE_URL=${DATABASE_URL:-$(cat /etc/gridmerit/database-url 2>/dev/null || :)}
DATABASE_URL=${given:-$DATABASE_URL}
set +a
exec runuser -u gridmerit -- /opt/gridmerit/.venv/bin/gridmerit "$@"
