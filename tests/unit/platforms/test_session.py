"""The embedded engine over a lakehouse: found again, kept apart, and clear about what is broken."""

from __future__ import annotations

import datetime as dt
import gc
import time

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

from nextbest.errors import PlatformError
from nextbest.platforms.local import session
from nextbest.platforms.local.environment import environment, lakehouse
from nextbest.platforms.local.session import open_session
from nextbest.platforms.local.volumes import local_path

pytestmark = pytest.mark.integration

SCHEMA = "juan_dev.ml_nba_demo_dev"


def test_tables_are_found_again_on_open(tmp_path):
    spark = open_session(tmp_path, [SCHEMA])
    spark.range(3).write.saveAsTable(f"{SCHEMA}.plain")
    spark.sql(f"CREATE TABLE {SCHEMA}.queried AS SELECT 1 AS a").collect()
    for folder in ("plain", "queried"):
        assert (tmp_path / "juan_dev" / "ml_nba_demo_dev" / folder / "_delta_log").is_dir()
    again = open_session(tmp_path, [SCHEMA])
    assert again.table(f"{SCHEMA}.plain").count() == 3
    assert again.table(f"{SCHEMA}.queried").count() == 1


def test_a_session_that_ends_takes_no_other_along(tmp_path):
    spark, unused = (open_session(tmp_path, [SCHEMA]) for _ in range(2))
    open_session(tmp_path, [SCHEMA]).stop()
    assert spark.range(2).count() == 2
    unused.itself = unused
    pool = ExecutePlanResponseReattachableIterator._get_or_create_release_thread_pool()
    del unused
    pool.submit(gc.collect).result()  # on a thread of the pool that all sessions share
    assert spark.range(3).count() == 3


@pytest.mark.slow
def test_a_session_outlives_a_long_training(tmp_path, monkeypatch):
    lasting = open_session(tmp_path, [SCHEMA])
    monkeypatch.setattr(session, "IDLE_SECONDS", 1)
    forgotten = open_session(tmp_path, [SCHEMA])
    time.sleep(4)
    assert lasting.range(2).count() == 2
    with pytest.raises(PySparkException, match="not running"):
        forgotten.range(2).count()


@pytest.mark.parametrize("other", ["juan_dev.ml_nba_demo_staging", "prod.ml_nba_demo"])
def test_a_target_can_neither_write_nor_read_anothers_schema(tmp_path, other):
    open_session(tmp_path, [other]).range(1).write.saveAsTable(f"{other}.theirs")
    spark = open_session(tmp_path, [SCHEMA])
    with pytest.raises(AnalysisException):
        spark.range(1).write.saveAsTable(f"{other}.ours")
    with pytest.raises(AnalysisException):
        spark.table(f"{other}.theirs").count()
    written = {path.parent.name for path in tmp_path.rglob("_delta_log")}
    assert written == {"theirs"}


def test_every_broken_table_is_named_with_its_folder(tmp_path):
    spark = open_session(tmp_path, [SCHEMA])
    for name in ("good", "bad", "worse"):
        spark.range(1).write.saveAsTable(f"{SCHEMA}.{name}")
    folder = tmp_path / "juan_dev" / "ml_nba_demo_dev"
    for name in ("bad", "worse"):
        (folder / name / "_delta_log" / "00000000000000000000.json").write_text("{garbage")
    with pytest.raises(PlatformError) as caught:
        open_session(tmp_path, [SCHEMA])
    told = str(caught.value)
    assert f"{SCHEMA}.bad" in told
    assert f"{SCHEMA}.worse" in told
    assert f"{SCHEMA}.good" not in told
    assert "data_pipeline_job" in told


def test_time_is_utc(tmp_path):
    spark = open_session(tmp_path, [SCHEMA])
    (row,) = spark.sql("SELECT timestamp'2026-01-01 00:00:00' AS t").collect()
    assert row.t == dt.datetime(2026, 1, 1)
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/Volumes/c/s/v/a/b.csv", "volumes/c/s/v/a/b.csv"),
        ("dbfs:/Volumes/c/s/v", "volumes/c/s/v"),
    ],
)
def test_a_volume_is_a_folder(tmp_path, path, found):
    assert local_path(tmp_path, path) == tmp_path / found


@pytest.mark.parametrize("path", ["/Volumes/c/s", "/Volumes/c/s/v/../../other"])
def test_a_path_out_of_its_volume_is_refused(tmp_path, path):
    with pytest.raises(PlatformError, match="volume path"):
        local_path(tmp_path, path)


def test_the_lakehouse_is_named_never_guessed(tmp_path, monkeypatch):
    monkeypatch.delenv("NEXTBEST_LAKEHOUSE", raising=False)
    with pytest.raises(PlatformError, match="--local"):
        lakehouse()
    monkeypatch.setenv("NEXTBEST_LAKEHOUSE", environment(tmp_path)["NEXTBEST_LAKEHOUSE"])
    assert lakehouse() == tmp_path
