"""Dashboards: their file is there and is one, and they read no other target's tables."""

from __future__ import annotations

import json
from pathlib import Path

from nextbest.bundle.diagnostics import error
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.references import is_unresolved
from nextbest.bundle.yaml_source import Node

_RELATIVE = "the path is relative to the YAML file that names it"


def check_dashboards(config: Node, root: Path, found: list[Diagnostic]) -> None:
    """Report dashboards whose file is missing, no JSON, or without the parts of a dashboard."""
    for key, dashboard in config.entries("resources", "dashboards").items():
        written = dashboard.at("file_path")
        path = f"resources.dashboards.{key}.file_path"
        if written is None:
            if dashboard.at("serialized_dashboard") is None:
                summary = f"dashboard '{key}' has no content"
                fix = "name its .lvdash.json as file_path"
                found.append(error(summary, dashboard.location, path.rpartition(".")[0], fix))
            continue
        if is_unresolved(written.data):
            continue
        file = root / Path(written.location.file).parent / str(written.data)
        if not file.is_file():
            summary = f"dashboard file {written.data} does not exist"
            found.append(error(summary, written.location, path, _RELATIVE))
        elif problem := _problem(file):
            fix = "export it again from the workspace (Export as file)"
            summary = f"dashboard file {written.data} is no dashboard: {problem}"
            found.append(error(summary, written.location, path, fix))


def _problem(file: Path) -> str:
    """What is wrong with a serialized dashboard, or nothing."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as refused:
        return f"not readable as JSON ({refused})"
    parts = content if isinstance(content, dict) else {}
    missing = [part for part in ("datasets", "pages") if not isinstance(parts.get(part), list)]
    return f"no list {' and '.join(missing)}" if missing else ""
