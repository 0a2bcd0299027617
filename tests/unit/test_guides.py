"""What the guides name is there: files, headings, commands with their flags, messages."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nextbest.bundle import Bundle, load
from nextbest.commands.declared import COMMANDS, Command

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
PAGES = [ROOT / "README.md", *GUIDES]
MESSAGES = ROOT / "docs/guides/troubleshooting.md"
ROOMS = {
    ".ci", ".github", "benchmarks", "ci", "docs", "examples", "notebooks", "resources", "src",
    "tests",
}  # fmt: skip
TARGETS = {"dev", "staging", "prod", "test"}  # the last one is that of an example
PLANNED: set[str] = set()  # told of as missing: take it out of here, and mend the guide
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> Iterator[str]:
    """Lines of fenced blocks, and what stands in backticks (which may be broken over lines)."""
    fence = re.compile(r"^```.*?\n(.*?)^```", re.S | re.M)
    for block in fence.findall(text_of(page)):
        yield from block.splitlines()
    for _, span in re.findall(r"(`+)(.+?)\1", fence.sub("", text_of(page)), re.S):
        yield " ".join(span.split())


def called(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each call of dbb in a page: as it stands there, and its words."""
    for piece in code(page):
        line = re.split(r"\s#", piece)[0]
        for call in re.split(r"(?:^|(?<=[\s/;]))dbb\s+", line)[1:]:
            words = call.split(";")[0].split()
            if words and re.match(r"[a-z]", words[0]):
                yield piece, words


def command(words: list[str]) -> Command | None:
    known = {each.words: each for each in COMMANDS}
    return known.get(tuple(words[:2])) or known.get(tuple(words[:1]))


@cache
def flags(known: Command) -> set[str]:
    made = argparse.ArgumentParser()
    known.flags(made)
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", made.format_help()))


@cache
def the_bundle() -> Bundle:
    return load(ROOT)


def problems(words: list[str]) -> Iterator[str]:
    """What is wrong with a call."""
    known = command(words)
    if known is None:
        if words[0] not in PLANNED:
            yield f"no command {words[0]}"
        return
    line = " ".join(words)
    if known.function:
        told = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line))
        yield from (f"no flag {each}" for each in sorted(told - flags(known)))
    bundle = the_bundle()
    if words[0] == "run" and words[1:] and re.match(r"[a-z]", words[1]):
        yield from [] if words[1] in bundle.jobs else [f"no job {words[1]}"]
    for target in re.findall(r"(?:-t|--target) ([a-z]\w*)", line):
        yield from [] if target in TARGETS else [f"no target {target}"]
    for name in re.findall(r"--var '?(\w+)=", line):
        yield from [] if name in bundle.variables else [f"no variable {name}"]


@each_page
def test_commands_exist(page):
    wrong = [f"{piece}: {told}" for piece, words in called(page) for told in problems(words)]
    assert not wrong


def test_misspelt_commands_are_found():
    for line in ("ruin JOB", "run trainings_job", "deploy -t pord", "deploy --yes",
                 "run JOB --var computer=1"):  # fmt: skip
        assert list(problems(line.split())), line
    assert not list(problems(["run", "training_job", "-t", "dev", "--local"]))
    assert not PLANNED & {each.words[0] for each in COMMANDS}


@each_page
def test_targets_of_make_exist(page):
    told = {name for piece in code(page) for name in re.findall(r"^make ([a-z-]+)", piece)}
    makefile = text_of(ROOT / "Makefile")
    assert not {name for name in told if not re.search(rf"^{name}:", makefile, re.M)}


@each_page
def test_paths_exist(page):
    told = {piece for piece in code(page) if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*/?", piece)}
    paths = {piece for piece in told if "/" in piece and piece.split("/")[0] in ROOMS}
    assert not {path for path in paths if not any(ROOT.glob(path.rstrip("/")))}


@each_page
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", text_of(page)):
        if link.startswith("https://"):
            continue
        file, _, heading = link.partition("#")
        there = page.parent / file if file else page
        assert there.is_file(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", text_of(there), re.M)
            names = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
            assert heading in names, link


@cache
def messages() -> list[str]:
    """Every text in src that is no docstring; what is filled in when it is told is an ellipsis."""
    found = []
    for file in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(text_of(file))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…"
                         for part in node.values]  # fmt: skip
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [] if id(node) in told else [node.value]
    return found


def quoted() -> list[str]:
    """The messages that the page on trouble quotes: what its tables begin their rows with."""
    rows = re.findall(r"^\| (`+) ?(.+?) ?\1 \|", text_of(MESSAGES), re.M)
    return [text for _, text in rows]


def test_quoted_messages_are_those_that_are_printed():
    assert len(quoted()) >= 30
    assert len(set(quoted())) == len(quoted())
    assert [text for text in quoted() if not any(text in each for each in messages())] == []


def test_every_row_quotes_a_message():
    rows = [line for line in text_of(MESSAGES).splitlines() if line.startswith("| ")]
    assert len([row for row in rows if not row.startswith(("| message", "| ---"))]) == len(quoted())
