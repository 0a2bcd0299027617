"""The embedded engine: a Spark Connect server in this process, over Delta tables on disk."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms import Platform
from nextbest.platforms.local import environment
from nextbest.platforms.own_monitors import OwnMonitors
from nextbest.tables import SOURCES, quote

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from nextbest.settings import Settings

IDLE_SECONDS = 365 * 86_400  # the engine forgets a session after 15 minutes: one model's training


def open_session(lakehouse: Path, schemas: Sequence[str]) -> SparkSession:
    """Start the engine in this process and register the tables of `schemas` found on disk.

    `schemas` are "catalog.schema" names: only these can be written to. Raises PlatformError
    naming every table whose Delta log can't be read, with its folder.
    """
    lakehouse = lakehouse.absolute()
    spark = _connect(tuple(dict.fromkeys(name.split(".")[0] for name in schemas)))
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.sources.default", "delta")  # as on Databricks
    setattr(spark, SOURCES, tempfile.gettempdir())
    broken: list[str] = []
    for schema in schemas:
        folder = lakehouse.joinpath(*schema.split("."))
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)} LOCATION '{_escape(folder)}'")
        for table in _tables(folder):
            if problem := _register(spark, f"{schema}.{table.name}", table):
                broken.append(problem)
    if broken:
        raise PlatformError(
            "; ".join(broken) + ". Restore the folder from a copy, or delete it and run "
            "`dbb run data_pipeline_job --local` to make the table anew"
        )
    return spark


def open_platform(settings: Settings, spark: SparkSession) -> Platform:
    """The laptop's ports over an engine session that is already open."""
    from nextbest.platforms.local import (
        catalog,
        feature_store,
        links,
        serving,
        tracking,
        volumes,
    )

    home = environment.lakehouse()
    tracking.create_database(home)
    volume = f"/Volumes/{settings.catalog}/{settings.schema}/{settings.volume}"
    folder = volumes.local_path(home, volume)
    folder.mkdir(parents=True, exist_ok=True)
    return Platform(
        name="local",
        spark=spark,
        features=feature_store.LocalFeatureStore(spark, home),
        monitors=OwnMonitors(spark),
        serving=serving.LocalServing(home),
        catalog=catalog.LocalCatalog(spark, home, folder),
        links=links.LocalLinks(home),
        volume=folder,
    )


def _connect(catalogs: Sequence[str]) -> SparkSession:
    listed = ", ".join(
        f'{{name={json.dumps(name)}, type="memory", initial_database=["default"]}}'
        for name in catalogs
    )
    os.environ["SAIL_CATALOG__LIST"] = f"[{listed}]"
    os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = catalogs[0]
    os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"] = str(IDLE_SECONDS)
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

    from nextbest.platforms.local.retrying import AnswerLost

    # A session that is closed, or collected as garbage on whatever thread, would shut the pool
    # of threads that all sessions of the process share: "cannot schedule new futures after
    # shutdown", for good, or a deadlock. PySpark mended it after 4.0 (SPARK-55406).
    ExecutePlanResponseReattachableIterator.shutdown = classmethod(lambda cls: None)
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
    spark.client.set_retry_policies([*spark.client.get_retry_policies(), AnswerLost()])
    spark._nextbest_server = server  # lives as long as the session
    return spark


def _tables(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if (path / "_delta_log").is_dir())


def _register(spark: SparkSession, name: str, folder: Path) -> str | None:
    """Register one table; what is wrong with it, if anything is."""
    from pyspark.errors import PySparkException

    try:
        spark.sql(f"CREATE TABLE {quote(name)} USING delta LOCATION '{_escape(folder)}'")
        len(spark.table(name).columns)  # asks the engine to read the log
    except PySparkException as error:
        first = str(error).strip().splitlines()[0]
        return f"table {name}: the Delta log in {folder} can't be read ({first})"
    return None


def _escape(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "\\'")
