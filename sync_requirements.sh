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
"$UV" run --no-project --quiet python - >"$dir/requirements.in" <<'PY'
import re, tomllib
declared = tomllib.load(open("pyproject.toml", "rb"))
runtime = "|".join(map(re.escape, declared["tool"]["nextbest"]["runtime"]))
for line in declared["project"]["dependencies"]:
    if not re.match(rf"({runtime})\b(?!-)", line):
        print(line)
PY
compile "$dir/requirements.txt" "$dir/requirements.in" --constraint "$dir/requirements-dev.txt"
rm -f "$dir/requirements.in"

if [ "$out" = "--check" ]; then
  for file in requirements.txt requirements-dev.txt requirements-bench.txt; do
    diff -u "$file" "$dir/$file" || { echo "$file has drifted from pyproject.toml: run ./sync_requirements.sh"; exit 1; }
  done
fi
