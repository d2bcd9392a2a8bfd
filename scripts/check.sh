#!/usr/bin/env bash
# Every check, in one place: format, lint, types, import contract, tests. `--no-tests` leaves the last out.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
"$bin/lint-imports"
if [ "${1:-}" != --no-tests ]; then
    "$bin/python" -m pytest
fi
