#!/usr/bin/env bash
# Makes requirements.txt (what a Databricks task installs) and requirements-dev.txt (everything,
# pinned, universal) from pyproject.toml. With --check: fails when they have drifted from it.
set -euo pipefail
cd "$(dirname "$0")"
UV=${UV:-.venv/bin/uv}
out=${1:-}
dir=.
if [ "$out" = "--check" ]; then dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cp requirements*.txt "$dir"; fi

compile() { # $1: output; the rest: what goes in. An existing file's pins are kept (no surprise upgrades).
  local file=$1; shift
  "$UV" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links "$@" --output-file "$file" >/dev/null
}

compile "$dir/requirements-dev.txt" pyproject.toml --extra local --group dev --group datasets --group oracle --group peers
compile "$dir/requirements-bench.txt" pyproject.toml --group bench
# A Databricks ML runtime brings these; installing them again would only fight its versions.
runtime='lightgbm|matplotlib|mlflow|numpy|pandas|pyarrow|pyyaml|scikit-learn|scipy'
"$UV" run --no-project --quiet python - "$runtime" >"$dir/requirements.in" <<'PY'
import re, sys, tomllib
for line in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]:
    if not re.match(rf"({sys.argv[1]})\b", line):
        print(line)
PY
compile "$dir/requirements.txt" "$dir/requirements.in" --constraint "$dir/requirements-dev.txt"
rm -f "$dir/requirements.in"

if [ "$out" = "--check" ]; then
  for file in requirements.txt requirements-dev.txt requirements-bench.txt; do
    diff -u "$file" "$dir/$file" || { echo "$file has drifted from pyproject.toml: run ./sync_requirements.sh"; exit 1; }
  done
fi
