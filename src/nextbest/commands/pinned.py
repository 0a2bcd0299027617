"""Whether requirements*.txt pin what pyproject.toml asks for, without a resolver or a network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nextbest.bundle.diagnostics import warning
from nextbest.bundle.graph import Diagnostic, Location
from nextbest.commands.check import Check

RUN, ALL = "requirements.txt", "requirements-dev.txt"
_FIX = "run ./sync_requirements.sh"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*([^;@]*)")
_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]+(?:\.[0-9]+)*)")

Pins = Mapping[str, list[tuple[int, str]]]  # line and version; several where markers differ


def check_pins(root: Path) -> Check:
    """Each dependency has a pin that it allows; the task's pins are those of everything.

    What the runtime brings (tool.nextbest.runtime) is not in requirements.txt. Whether the pins go
    together is for the resolver to say: `./sync_requirements.sh --check`.
    """
    project, files = root / "pyproject.toml", [root / RUN, root / ALL]
    if not all(path.is_file() for path in (project, *files)):
        return Check("pins", f"no {project.name} with {RUN} and {ALL} here", [])
    import tomllib  # only where there is something to read

    try:
        declared = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        summary = f"{project.name} is not valid TOML: {problem}"
        finding = warning(summary, Location(project.name, 1), "", "correct it")
        return Check("pins", project.name, [finding])
    asked = declared.get("project", {}).get("dependencies", [])
    brought = {_name(each) for each in _own(declared).get("runtime", [])}
    run, everything = map(_pins, files)
    found: list[Diagnostic] = []
    for text in asked:
        _one(text, ALL, everything, found)
        if _name(text) not in brought:
            _one(text, RUN, run, found)
    for name, pins in run.items():
        line, version = pins[0]
        if name in brought:
            summary = f"{RUN} pins {name}, which the ML runtime brings"
            found.append(warning(summary, Location(RUN, line), "", _FIX))
        elif name in everything and version not in [each for _, each in everything[name]]:
            other = everything[name][0][1]
            summary = f"{RUN} pins {name} {version}, but {ALL} {other}"
            found.append(warning(summary, Location(RUN, line), "", _FIX))
    told = f"{len(asked)} dependencies, {len(run)} pins of tasks, {len(everything)} of everything"
    return Check("pins", told, found)


def _own(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    return declared.get("tool", {}).get("nextbest", {})


def _name(requirement: str) -> str:
    match = _REQUIREMENT.match(requirement)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else requirement


def _pins(path: Path) -> Pins:
    pins: dict[str, list[tuple[int, str]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name, sign, rest = line.partition("==")
        if sign and not line.startswith("#"):
            version = rest.split(";")[0].split("#")[0].strip()
            pins.setdefault(_name(name.strip()), []).append((number, version))
    return pins


def _one(text: str, file: str, pins: Pins, found: list[Diagnostic]) -> None:
    name = _name(text)
    if name not in pins:
        summary = f"{file} has no pin of {name}, which pyproject.toml asks for"
        found.append(warning(summary, Location(file, 1), "", _FIX))
        return
    for line, version in pins[name]:
        if not _allows(text, version):
            summary = f"{file} pins {name} {version}, but pyproject.toml asks for '{text}'"
            found.append(warning(summary, Location(file, line), "", _FIX))


def _allows(requirement: str, version: str) -> bool:
    """Whether a requirement allows a version (PEP 440).

    Plain releases are compared here: `packaging`, which judges all others, takes a third of the
    time of a whole `dbb validate` to import.
    """
    match = _REQUIREMENT.fullmatch(requirement.partition(";")[0].strip())
    clauses = [each.strip() for each in match[2].split(",") if each.strip()] if match else [""]
    plain = [_CLAUSE.fullmatch(each) for each in clauses]
    if not version.replace(".", "").isdigit() or not all(plain):
        from packaging.requirements import Requirement

        return Requirement(requirement).specifier.contains(version, prereleases=True)
    return all(_holds(version, each[1], each[2]) for each in plain if each)


def _holds(version: str, sign: str, bound: str) -> bool:
    one, other = ([int(part) for part in text.split(".")] for text in (version, bound))
    length = max(len(one), len(other))
    left, right = (numbers + [0] * (length - len(numbers)) for numbers in (one, other))
    return {
        ">=": left >= right, "<=": left <= right, "==": left == right, "!=": left != right,
        ">": left > right, "<": left < right,
    }[sign]  # fmt: skip
