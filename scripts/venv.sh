#!/usr/bin/env bash
# Makes or refreshes .venv from requirements.lock (every file checked against its hash), then adds the project itself, editable.
#   scripts/venv.sh          the environment
#   scripts/venv.sh lock     writes requirements.lock and deploy/requirements.lock anew from pyproject.toml
# uv is used where it is found; otherwise it is fetched through pip into build/bootstrap; where that fails, pip does the work itself.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; $python is $("$python" --version). Choose one: make PYTHON=/path/to/python3.12" >&2; exit 1; }

find_uv() {
  command -v uv && return
  [ -x build/bootstrap/bin/uv ] && { echo build/bootstrap/bin/uv; return; }
  mkdir -p build
  { "$python" -m venv build/bootstrap && build/bootstrap/bin/python -m pip install --quiet --disable-pip-version-check uv; } >&2 \
    || "$python" -m pip install --quiet --disable-pip-version-check --target build/bootstrap uv >&2 \
    || return 1
  [ -x build/bootstrap/bin/uv ] && echo build/bootstrap/bin/uv
}

uv=$(find_uv) || uv=
case "${1:-}" in
  lock)
    [ -n "$uv" ] || { echo "uv is needed to write the lock file" >&2; exit 1; }
    compile=("$uv" pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header)
    "${compile[@]}" --extra dev --extra demo "${@:2}" pyproject.toml -o requirements.lock
    # what runs in containers: the same versions, without what only developers need
    "${compile[@]}" --no-annotate -c requirements.lock pyproject.toml -o deploy/requirements.lock
    ;;
  '')
    [ -x .venv/bin/python ] || echo "making .venv from requirements.lock: once, and about a minute where nothing is cached" >&2
    quiet=--quiet
    [ ! -t 2 ] || quiet=--no-color  # whoever looks on sees uv's progress bars
    if [ -n "$uv" ]; then
      [ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
      "$uv" pip sync $quiet --python .venv/bin/python --require-hashes requirements.lock
      "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
    else
      echo "uv could not be had; pip does it, which takes longer" >&2
      [ -x .venv/bin/python ] || "$python" -m venv .venv
      .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
      .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    fi
    touch .venv/installed
    ;;
  *) sed -n '2,4p' "$0" >&2; exit 2 ;;
esac
