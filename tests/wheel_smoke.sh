#!/bin/sh
# Build wheel and sdist, install the wheel into two empty environments, and make calls: one environment has
# the newest dependencies, the other the lowest that pyproject.toml allows.
# PYTHON creates the environments; BUILD is a Python that has the packages `build` and `uv`.
set -eu
: "${PYTHON:=python3}" "${BUILD:=python3}"
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$BUILD" -m build --outdir "$scratch/dist" "$root" >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
"$BUILD" -m uv pip compile --quiet --python "$PYTHON" --resolution lowest-direct \
    --output-file "$scratch/lowest.txt" "$root/pyproject.toml"
touch "$scratch/newest.txt"
mkdir "$scratch/empty"
cd "$scratch/empty"
for which in newest lowest; do
    "$PYTHON" -m venv "$scratch/$which"
    "$scratch/$which/bin/python" -m pip install --quiet -r "$scratch/$which.txt" "$scratch"/dist/*.whl
    "$scratch/$which/bin/python" -I "$root/tests/wheel_smoke.py" "$(stat -c %s "$scratch"/dist/*.whl)"
done
