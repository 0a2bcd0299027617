"""`dbb evaluate-policy` as a user types it: any file, in a folder without a bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nextbest.cli import main

pytestmark = pytest.mark.integration

DBB = Path(sys.executable).with_name("dbb")


def log(n=20_000, seed=1):
    rng = np.random.default_rng(seed)
    logging, target = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    worth = np.array([0.1, 0.12, 0.2])
    action = rng.choice(3, n, p=logging)
    return pd.DataFrame(
        {
            "decision_id": np.arange(n),
            "reward": (rng.random(n) < worth[action]).astype(int),
            "propensity": logging[action],
            "target": target[action],
            "q_logged": 0.8 * worth[action],
            "q_target": 0.8 * target @ worth,
            "segment": np.where(np.arange(n) < 40, "few", "many"),
        }
    )


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capsys):
    """Evaluate in an empty folder; the log's truth is .156, that of its policy .126.

    In a process of its own, as users do, or in this one, which saves three seconds.
    """

    def run(rows, *arguments, name="log.csv", alone=False):
        if rows is not None and name.endswith(".csv"):
            rows.to_csv(tmp_path / name, index=False)
        elif rows is not None:
            rows.to_parquet(tmp_path / name)
        words = ["evaluate-policy", name, *arguments]
        if not alone:
            monkeypatch.chdir(tmp_path)
            code = main(words)
            return subprocess.CompletedProcess(words, code, *capsys.readouterr())
        return subprocess.run(
            [DBB, *words],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if not k.startswith("NEXTBEST_")},
            capture_output=True,
            text=True,
        )

    return run


def test_a_sound_log_is_a_go(evaluate, tmp_path):
    done = evaluate(log(), "--segment", "segment", "--local", alone=True)
    assert done.returncode == 0, done.stderr
    for word in ("ips", "sndr", "switch_dr", "SLOPE", "lift", "effective sample", "GO", "refused"):
        assert word in done.stdout
    assert (tmp_path / "log.csv.weights.png").read_bytes().startswith(b"\x89PNG")
    assert done.stdout.splitlines()[-1].endswith("log.csv.weights.png")


def test_json_is_everything_and_nothing_else(evaluate, tmp_path):
    arguments = ("--format", "json", "--segment", "segment", "--picture", "w.png")
    done = evaluate(log(), *arguments, name="log.parquet", alone=True)
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr, told["go"]) == (0, "", True)
    found = told["estimates"]["dr"]
    assert found["low"] < 0.156 < found["high"]
    assert told["lifts"]["dr"]["low"] > 0
    assert told["logging"]["value"] == pytest.approx(0.126, abs=0.01)
    assert told["chosen"]["switch"]["estimator"] in told["estimates"]
    assert [(each["n"], each["go"]) for each in told["segments"]] == [(40, False), (19_960, True)]
    total = sum(each["n"] * each["estimates"]["dr"]["value"] for each in told["segments"])
    assert total / 20_000 == pytest.approx(found["value"], rel=1e-12)
    assert (tmp_path / "w.png").is_file()


def test_confidence_and_other_names_of_columns(evaluate):
    rows = log().rename(columns={"reward": "paid", "propensity": "p", "target": "pi"})
    names = ("--reward", "paid", "--propensity", "p", "--target", "pi", "--format", "json")
    wide = json.loads(evaluate(rows, *names, "--confidence", ".99").stdout)["estimates"]["ips"]
    narrow = json.loads(evaluate(rows, *names).stdout)["estimates"]["ips"]
    assert wide["value"] == narrow["value"]
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_without_a_model_there_are_no_model_based_estimators(evaluate):
    rows = log().drop(columns=["q_logged", "q_target"])
    told = json.loads(evaluate(rows, "--format", "json").stdout)
    assert {name.split("@")[0] for name in told["estimates"]} == {"ips", "snips", "clipped_ips"}


def test_thin_evidence_is_a_no_go(evaluate):
    done = evaluate(log(300))
    assert done.returncode == 1
    assert "NO-GO: effective sample: ess is" in done.stdout


def test_no_evidence_at_all_is_also_told_as_json(evaluate):
    done = evaluate(log(200).assign(target=0.0), "--format", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["go"]) == (1, False)
    assert "the target never chooses what was logged" in told["reasons"][0]
    assert told["reasons"][0] in done.stderr


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"propensity": 0.0}, (), "propensity: 50 of 50 rows are not probabilities in (0, 1]"),
        ({"propensity": 1.2, "reward": "x"}, (), "reward: 50 of 50 rows are not numbers (row 1, 2"),
        ({"reward": 0}, (), "reward: all 50 rows are 0"),
        ({"decision_id": 7}, (), "decision_id: 49 of 50 rows are there already"),
        ({}, ("--reward", "rewards"), "no column 'rewards' for --reward (is it reward?)"),
        ({}, ("--segment", "segmnet"), "no column 'segmnet' for --segment (is it segment?)"),
        ({}, ("--confidence", "95"), "--confidence is 95.0"),
        ({}, ("--picture", "x.pdf"), "give a name that ends in .png"),
    ],
)
def test_bad_input_is_told_and_nothing_is_evaluated(evaluate, change, arguments, message):
    done = evaluate(log(50).assign(**change), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_files_that_are_none(evaluate):
    for name, message in (("no.csv", "no such file"), ("a.b.c", "add --local")):
        done = evaluate(None, name=name)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
    done = evaluate(log(0))
    assert done.returncode == 2
    assert "the log is empty" in done.stderr
