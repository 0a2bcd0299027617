"""Several processes promote at once, and processes are killed between any two steps."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from nextbest.platforms.releases import DONE, INTENDED
from nextbest.registry.ledger import line, open_intent, standing
from nextbest.registry.promotion import follow, settle
from nextbest.registry.releasing import roll_back

pytestmark = pytest.mark.integration

RACER = Path(__file__).with_name("racer.py")
DAY = dt.date(2026, 3, 1)
RACERS = 8


@pytest.fixture
def many(releases, home, tiny):
    """A model with nine versions, and an endpoint that serves the first, the champion."""
    import mlflow

    name = f"{releases.ledger._folder.name}.of.many"
    uri = tiny()
    for _ in range(RACERS + 1):
        mlflow.register_model(uri, name)
    return name


@pytest.fixture
def race(releases, home):
    """Start racers, give each a line, read their answers."""
    table = ".".join(releases.ledger._folder.relative_to(home).parts)

    @contextmanager
    def started(model, kind, count, *killed):
        command = [sys.executable, RACER, home, table, "race", model, kind, *map(str, killed)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        racers = [subprocess.Popen(command, text=True, **pipes) for _ in range(count)]
        try:
            for racer in racers:
                assert racer.stdout.readline() == "ready\n"

            def run(lines):
                for racer, told in zip(racers, lines, strict=True):
                    racer.stdin.write(f"{told}\n")
                for racer in racers:
                    racer.stdin.flush()
                answers = [racer.stdout.readline() for racer in racers]
                return [json.loads(answer) if answer else None for answer in answers]

            yield run
        finally:
            for racer in racers:
                racer.stdin.close()
                racer.wait()
                racer.stdout.close()

    return started


def consistent(releases, model):
    """Aliases and endpoint are where the ledger says, and nothing is open."""
    steps = releases.ledger.steps(model)
    assert open_intent(steps) is None
    aliases = dict(releases.aliases.of(model))
    assert aliases == {alias: at for alias, at in standing(steps).items() if at}
    served = releases.serving.served("race")
    if served is not None and served.model_name == model:
        assert served.version == aliases["champion"]
    return steps


def rounds(releases, race, model, kind, count):
    """So many rounds: in each, one wins, and all others are told by whom."""
    releases.serving.deploy("race", model, "1")
    champion = "logging"
    with race(model, kind, RACERS) as run:
        for _ in range(count):
            before = len(releases.ledger.steps(model))
            others = [str(v) for v in range(1, RACERS + 2) if str(v) != champion][:RACERS]
            answers = run([f"{version} {champion}" for version in others])
            won = [v for v, a in zip(others, answers, strict=True) if a["won"]]
            (winner,) = won
            by = next(answer["who"] for answer in answers if answer["won"])
            for version, answer in zip(others, answers, strict=True):
                if not answer["won"]:
                    assert f"is version {winner} since" in answer["told"]
                    assert f"by {by}" in answer["told"]
                    assert f"version {version} was to replace" in answer["told"], answer
            steps = consistent(releases, model)[before:]
            assert [(s.version, s.state) for s in steps] == [(winner, INTENDED), (winner, DONE)]
            champion = winner


@pytest.mark.parametrize("kind", ["locked", pytest.param("unlocked", marks=pytest.mark.slow)])
def test_of_eight_at_once_one_wins(releases, race, many, kind):
    rounds(releases, race, many, kind, 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["locked", "unlocked"])
def test_fifty_rounds(releases, race, many, kind):
    rounds(releases, race, many, kind, 50)
    assert len(line(releases.ledger.steps(many))) == 50


@pytest.mark.slow
@pytest.mark.parametrize("change", ["promote", "back"])
@pytest.mark.parametrize("kind", ["locked", "unlocked"])
def test_killed_between_any_two_steps_the_next_command_leaves_it_consistent(
    releases, race, model, kind, change
):
    order = "3 2" if change == "promote" else "back"

    def prepare():
        with race(model, kind, 1) as run:
            for told in ("1 logging", "2 1"):
                assert run([told])[0]["won"]
            releases.serving.deploy("race", model, "2")

    def begin_again():
        for alias in dict(releases.aliases.of(model)):
            releases.aliases.move(model, alias, None)
        for file in sorted(releases.ledger._folder.rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()

    prepare()
    with race(model, kind, 1) as run:
        calls = run([order])[0]["calls"]
    assert calls == 5  # before, previous_champion, champion, after, endpoint
    after = consistent(releases, model)
    for nth in range(1, calls + 1):
        begin_again()
        prepare()
        with race(model, kind, 1, nth) as run:
            assert run([order]) == [None]  # killed
        settle(releases, model)
        follow(releases, model, "race")
        steps = consistent(releases, model)
        champion = releases.aliases.of(model)["champion"]
        assert champion == ("2" if nth == 1 else {"promote": "3", "back": "1"}[change])
        assert [s.version for s in steps] == [
            s.version for s in (after if nth > 1 else after[:-2])
        ]  # nothing lost, nothing twice
    assert roll_back(releases, model, DAY) if change == "promote" else True
