"""A publisher that is killed leaves the old values online, or the new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from nextbest.errors import DataError
from nextbest.platforms import Published
from nextbest.platforms.local import online_database
from nextbest.platforms.local.online_reader import OnlineTable

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("online_store")]

PUBLISHER = """
import sys
from pathlib import Path
from nextbest.platforms.local import online_store
from nextbest.platforms.local.session import open_session

home, table = Path(sys.argv[1]), sys.argv[2]
spark = open_session(home, ["juan_dev.ml_nba_demo_dev"])
print("ready", flush=True)
online_store.publish(spark, home, table, ["customer_id"], "as_of")
"""


def killed_publish(spark_home, table, log, wait):
    """Publish in another process and kill it when `wait(database)` is over."""
    with log.open("w") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(spark_home), table],
            env={**os.environ, "TZ": "UTC"},
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
        assert child.stdout.readline() == b"ready\n", log.read_text()[-3000:]
        wait(online_database.path(spark_home, table), child)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def versions(spark, spark_home, table, keys):
    """For each key the set of values its columns have: one value, or it was torn."""
    online = OnlineTable(spark_home, table)
    rows = online.read([{"customer_id": f"c{number}"} for number in range(keys)])
    online.close()
    return [{row[f"f{column}"] for column in range(20)} for row in rows]


def fill(spark, table, keys, value):
    columns = ", ".join(f"{value}.0D AS f{column}" for column in range(20))
    frame = spark.sql(
        f"SELECT concat('c', id) AS customer_id, TIMESTAMP '2026-01-0{value}' AS as_of, {columns} "
        f"FROM range({keys})"
    )
    frame.write.format("delta").mode("append").saveAsTable(table)


def half_written(database, child):
    """Until pages of the transaction reach the disk: then it is under way, and not committed."""
    log = database.with_name(f"{database.name}-wal")
    limit = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < limit:
        if log.exists() and log.stat().st_size > 1_000_000:
            return
        time.sleep(0.001)
    raise AssertionError("the publish ended, or never began")


@pytest.mark.slow
def test_a_publisher_killed_while_it_writes_leaves_the_old_values(
    spark, spark_home, table, publish, tmp_path
):
    keys = 40_000
    fill(spark, table, keys, 1)
    publish()
    fill(spark, table, keys, 2)
    killed_publish(spark_home, table, tmp_path / "log.txt", half_written)
    assert versions(spark, spark_home, table, keys) == [{1.0}] * keys
    assert publish() == Published(table, keys, 0)
    assert versions(spark, spark_home, table, keys) == [{2.0}] * keys


@pytest.mark.slow
def test_a_publisher_killed_at_any_time_leaves_old_or_new(
    spark, spark_home, table, publish, tmp_path
):
    import random

    keys = 40_000
    fill(spark, table, keys, 1)
    publish()
    begun = time.monotonic()
    fill(spark, table, keys, 2)
    publish()
    usual = time.monotonic() - begun
    draw = random.Random(5)
    for value in range(3, 9):
        fill(spark, table, keys, value)
        wait = draw.uniform(0, 2 * usual)
        killed_publish(
            spark_home, table, tmp_path / "log.txt", lambda *_, wait=wait: time.sleep(wait)
        )
        found = versions(spark, spark_home, table, keys)
        assert found in ([{value - 1.0}] * keys, [{float(value)}] * keys)
        publish()
        assert versions(spark, spark_home, table, keys) == [{float(value)}] * keys


@pytest.mark.slow
def test_a_first_publish_that_was_killed_is_told_and_done_again(
    spark, spark_home, table, publish, tmp_path
):
    fill(spark, table, 40_000, 1)
    killed_publish(spark_home, table, tmp_path / "log.txt", half_written)
    with pytest.raises(DataError, match="publish it first"):
        OnlineTable(spark_home, table)
    assert publish().written == 40_000
