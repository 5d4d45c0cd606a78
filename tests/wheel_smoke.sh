#!/bin/sh
# Build wheel and sdist, install the wheel alone into an empty environment, and call with it.
# PYTHON makes the environment; BUILD is a Python that has the `build` package.
set -eu
: "${PYTHON:=python3}" "${BUILD:=python3}"
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$BUILD" -m build --outdir "$scratch/dist" "$root" >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
"$PYTHON" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet "$scratch"/dist/*.whl
mkdir "$scratch/empty"
cd "$scratch/empty"
"$scratch/venv/bin/python" -I "$root/tests/wheel_smoke.py" "$(stat -c %s "$scratch"/dist/*.whl)"
