"""dbb promote-model on a laptop, as a user types it: evidence, force, rollback, bad input."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nextbest.cli import main

# On one worker: the registry and its versions are made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("promote_model")]

ROOT = Path(__file__).parents[2]
DBB = Path(sys.executable).with_name("dbb")
DEV, STAGING = "juan_dev.ml_nba_demo_dev.dev_ada_nba", "juan_dev.ml_nba_demo_staging.nba"
DAY = dt.date(2026, 3, 1)
ENDPOINT = "nextbest-dev-ada"


@pytest.fixture(scope="module")
def logged(tmp_path_factory, local_mlflow):
    """A lakehouse with a logged model: the folder, its URI."""
    from nextbest.platforms.local.tracking import create_database

    home = tmp_path_factory.mktemp("lakehouse")
    create_database(home)
    local_mlflow(home)
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier

    with mlflow.start_run():
        fitted = DummyClassifier().fit([[0], [1]], [0, 1])
        uri = mlflow.sklearn.log_model(
            fitted, name="m", signature=infer_signature([[0.0]], [0]),
            pip_requirements=["scikit-learn"],
        ).model_uri  # fmt: skip
    return home, uri


@pytest.fixture
def home(logged, local_mlflow):
    """Dev has three versions, 1 and 2 with a verdict against nobody, 3 without one."""
    import mlflow
    from deltalake import DeltaTable

    from nextbest import registry

    home, uri = logged
    local_mlflow(home)
    client = mlflow.MlflowClient()
    for name in (DEV, STAGING):
        for model in client.search_registered_models():
            if model.name == name:
                client.delete_registered_model(name)
    for _ in range(3):
        mlflow.register_model(uri, DEV, tags={"holdout_share": "0.4", "training_key": "k"})
    for ledger in home.glob("juan_dev/*/promotions"):
        table = DeltaTable(str(ledger))
        table.delete()
    for version in ("1", "2"):
        judge(registry, version, None)
    client.set_registered_model_alias(DEV, "candidate", "1")
    return home


def judge(registry, version, against, passed=True, model=DEV):
    told = {"text": "every gate passed" if passed else "too thin", "passed": passed}
    registry.record_verdict(model, version, told, against=against, as_of=DAY, holdout="h")


@pytest.fixture
def dbb(home, monkeypatch, capsys):
    """Run dbb in this process: words → exit code, stdout, stderr."""
    monkeypatch.chdir(ROOT)

    def run(*words, user="ada"):
        monkeypatch.setenv("LOGNAME", user)
        code = main([*words, "--local", "--lakehouse", str(home), "--var", f"as_of={DAY}"])
        out, err = capsys.readouterr()
        return code, out, "".join(line for line in err.splitlines(True) if "INFO" not in line)

    return run


def aliases(home, model=DEV):
    from nextbest.platforms.local.aliases import LocalAliases

    return dict(LocalAliases(home).of(model))


def ledger(home, schema="ml_nba_demo_dev"):
    from nextbest.platforms.local.ledger import LocalLedger

    return LocalLedger(home, f"juan_dev.{schema}.promotions").steps(None)


def test_candidate_staging_champion_and_back(dbb, home):
    from nextbest import registry
    from nextbest.platforms.local.serving import LocalServing

    code, out, err = dbb("promote-model", DEV, "--to", "staging")
    assert (code, err) == (0, "")
    assert out == f"{DEV}: version 1 is staging\n"
    assert dbb("promote-model", DEV)[:2] == (0, f"{DEV}: version 1 is champion\n")
    assert dbb("promote-model", DEV)[1] == f"{DEV}: version 1 is champion already\n"
    LocalServing(home).deploy(ENDPOINT, DEV, "1")
    judge(registry, "2", "1")
    code, out, _ = dbb("promote-model", DEV, "--version", "2", "--reason", "q2", "--json")
    told = json.loads(out)
    assert (code, told["endpoint"], told["moved"]["promoted_by"]) == (0, ENDPOINT, "ada")
    assert LocalServing(home).served(ENDPOINT).version == "2"
    back = ["--rollback", "--reason", "complaints", "--var", "own=-ada"]
    code, out, _ = dbb("promote-model", DEV, *back, user="eve")
    assert code == 0
    assert f"version 1 is champion again, version 2 is not; endpoint {ENDPOINT} answers by" in out
    assert LocalServing(home).served(ENDPOINT).version == "1"
    assert aliases(home) == {"candidate": "1", "staging": "1", "champion": "1"}
    last = ledger(home)[-1]
    assert (last.action, last.promoted_by, last.reason) == ("roll back", "eve", "complaints")
    assert len(last.commit) >= 40


def test_a_rolled_back_version_stays_back(dbb, home):
    from nextbest import registry

    assert dbb("promote-model", DEV, "--version", "1")[0] == 0
    judge(registry, "2", "1")
    assert dbb("promote-model", DEV, "--version", "2")[0] == 0
    assert dbb("promote-model", DEV, "--rollback")[0] == 0
    code, _, err = dbb("promote-model", DEV, "--version", "2")
    assert code == 1
    assert "version 2 was rolled back by ada" in err
    assert aliases(home)["champion"] == "1"
    assert dbb("promote-model", DEV, "--version", "2", "--dry-run")[0] == 1


def test_without_evidence_it_is_refused_and_force_leaves_its_reason(dbb, home):
    from nextbest import registry

    code, _, err = dbb("promote-model", DEV, "--version", "3")
    assert code == 1
    assert "version 3: it has no whole verdict; it is judged now" in err
    assert "no decisions of juan_dev.ml_nba_demo_dev in" in err
    judge(registry, "3", None, passed=False)
    code, _, err = dbb("promote-model", DEV, "--version", "3")
    assert code == 1
    assert "version 3 is not released: too thin" in err
    assert ledger(home) == []
    code, _, err = dbb("promote-model", DEV, "--version", "3", "--force")
    assert code == 2
    assert "add --reason" in err
    code, out, _ = dbb("promote-model", DEV, "--version", "3", "--force", "--reason", "outage")
    assert (code, aliases(home)["champion"]) == (0, "3")
    last = ledger(home)[-1]
    assert (last.action, last.reason) == ("force", "outage")
    assert json.loads(last.evidence)["passed"] is False
    tags = registry.client().get_model_version(DEV, "3").tags
    (forced,) = [text for name, text in tags.items() if name.startswith("forced_")]
    assert forced.startswith("champion at ")
    assert forced.endswith("by ada, without evidence: outage")


def test_a_dry_run_changes_nothing(dbb, home):
    before = aliases(home)
    for words, code, told in (
        (["--version", "1"], 0, "would replace none (--dry-run)"),
        (["--version", "3"], 0, "would be judged first: it has no whole verdict"),
        (["--version", "3", "--force", "--reason", "r"], 0, "would be champion by force"),
    ):
        done = dbb("promote-model", DEV, *words, "--dry-run")
        assert done[0] == code
        assert told in done[1] + done[2]
    assert (aliases(home), ledger(home)) == (before, [])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["nba"], 2, "'nba' is no model: write CATALOG.SCHEMA.MODEL"),
        (["a.b.c"], 2, f"is the model of no target: there are {DEV} (dev), {STAGING} (staging)"),
        ([STAGING], 1, f"no model {STAGING} in "),
        ([DEV, "--version", "9"], 1, "version 9: does not exist (there are 1, 2, 3)"),
        ([DEV, "--version", "x"], 2, "--version x: it is a number"),
        ([DEV, "--from", "staging"], 1, "has no staging: it has candidate (version 1)"),
        ([DEV, "--from", "champion"], 2, "--from champion: before champion is candidate, staging"),
        ([DEV, "--to", "prod"], 2, "--to prod: it is staging or champion"),
        ([DEV, "--rollback"], 1, "has no champion, so there is nothing to roll back"),
        ([DEV, "--rollback", "--version", "1"], 2, "--rollback takes no --from"),
        ([DEV, "--warehouse", "w"], 2, "--warehouse: with --local"),
    ],
)
def test_bad_input(dbb, home, words, code, told):
    before = aliases(home)
    done = dbb("promote-model", *words)
    assert done[0] == code, done
    assert told in done[2]
    assert (aliases(home), ledger(home)) == (before, [])


@pytest.mark.parametrize("damaged", ["MLmodel", "the model"])
def test_damaged_files_are_refused(dbb, home, logged, damaged):
    (file,) = home.rglob(f"{logged[1].removeprefix('models:/')}/artifacts/MLmodel")
    if damaged == "the model":
        told = yaml.safe_load(file.read_text())["flavors"]["sklearn"]["pickled_model"]
        file = file.with_name(told)
    before, whole = aliases(home), file.read_bytes()
    try:
        file.write_bytes(whole[: len(whole) // 2])
        code, _, err = dbb("promote-model", DEV, "--version", "1")
        assert code == 1
        assert "version 1: its files can't be loaded" in err
        file.unlink()
        assert dbb("promote-model", DEV, "--version", "1")[0] == 1
    finally:
        file.write_bytes(whole)
    assert (aliases(home), ledger(home)) == (before, [])


def test_across_targets_a_version_is_copied_with_its_lineage_and_judged_there(dbb, home):
    from nextbest import registry

    code, _, err = dbb("promote-model", DEV, "-t", "staging", "--version", "2")
    assert code == 1
    assert f"{DEV} version 2 is version 1 of {STAGING}" in err
    assert "version 1: it has no whole verdict; it is judged now" in err
    client = registry.client()
    copy, original = (client.get_model_version(*at) for at in ((STAGING, "1"), (DEV, "2")))
    assert copy.tags == {
        "holdout_share": "0.4", "training_key": "k", "source_model": DEV, "source_version": "2",
    }  # fmt: skip
    assert (copy.run_id, copy.model_id) == (original.run_id, original.model_id)
    assert aliases(home, STAGING) == {"candidate": "1"}
    judge(registry, "1", None, model=STAGING)
    assert dbb("promote-model", DEV, "-t", "staging", "--version", "2")[0] == 0
    assert aliases(home, STAGING)["champion"] == "1"
    assert [step.model for step in ledger(home, "ml_nba_demo_staging")] == [STAGING, STAGING]
    assert "champion" not in aliases(home)


def test_a_rollback_is_quick_for_it_imports_neither_engine_nor_mlflow(dbb, home):
    from nextbest import registry

    assert dbb("promote-model", DEV, "--version", "1")[0] == 0
    judge(registry, "2", "1")
    assert dbb("promote-model", DEV, "--version", "2")[0] == 0
    words = [DBB, "promote-model", DEV, "--rollback", "--local", "--lakehouse", home]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=ROOT, check=True, capture_output=True, text=True, env={**os.environ, "LOGNAME": "ada"},
    )  # fmt: skip
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    # How many seconds that makes is measured by benchmarks/rollback.py.
    assert "nextbest" in imported
    assert not imported & {"mlflow", "pyspark", "pysail", "sklearn", "lightgbm", "databricks"}
    assert aliases(home)["champion"] == "1"
