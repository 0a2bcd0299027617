"""Writes that can be repeated: tables are merged by key, identifiers quoted in one place."""

from __future__ import annotations

import re
import tempfile
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nextbest.errors import DataError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

# Attribute of a session that was opened here: folder for what MERGE reads. No setting of the
# session: serverless compute refuses to be asked for one that it doesn't know.
SOURCES = "_nextbest_sources"
OWN_CONSTRAINT = "rule_"  # how the names of our constraints begin


def quote(name: str) -> str:
    """A dotted name with each part in backticks, as SQL wants it."""
    return ".".join(map(sql_name, name.split(".")))


def sql_name(column: str) -> str:
    """A column's name as SQL, whatever is in it."""
    return f"`{column.replace('`', '``')}`"


def column(name: str) -> Column:
    """A column by its very name: dots and backticks in it are letters like others."""
    from pyspark.sql import functions as F

    return F.col(sql_name(name))


def exists(spark: SparkSession, table: str) -> bool:
    """Whether a table of this three-level name can be read."""
    return spark.catalog.tableExists(table)


def read(spark: SparkSession, table: str) -> DataFrame:
    """The table, or DataError that names it and the job that makes it."""
    if not exists(spark, table):
        raise DataError(
            f"table {table} does not exist: run data_pipeline_job for this target first"
        )
    return spark.table(table)


def merge(frame: DataFrame, table: str, keys: Sequence[str], *, unique: bool = False) -> None:
    """Write rows by key: a row whose key is there is replaced, another is added.

    The first write creates the table. Columns that the table lacks are added to it. Raises
    DataError when two rows of `frame` share a key, since which one wins would be chance; `unique`
    says that the caller has made sure of it.
    """
    spark = frame.sparkSession
    missing = [key for key in keys if key not in frame.columns]
    if missing:
        raise DataError(f"merge into {table}: no key column {', '.join(missing)} in the rows")
    if not unique:
        _refuse_duplicates(frame, table, keys)
    if not exists(spark, table):
        _create(frame, table)
        return
    if not set(frame.columns) <= set(spark.table(table).columns):
        wider = spark.table(table).limit(0).unionByName(frame.limit(0), allowMissingColumns=True)
        wider.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(table)
    with written_down(changed_rows(frame, spark.table(table), keys)) as changed:
        if changed.limit(1).collect():
            _merge_into(table, changed, keys)


def landed(frame: DataFrame, folder: str) -> DataFrame:
    """The frame, read back from Parquet files: what follows does not ask its source again.

    The files carry no statistics: from them the embedded engine (0.7.2) takes a column of one
    value and NaN for a constant, and NaN would come back as that value.
    """
    frame.write.mode("overwrite").option("statistics_enabled", "none").parquet(folder)
    return frame.sparkSession.read.schema(frame.schema).parquet(folder)  # an empty one has no file


@contextmanager
def written_down(frame: DataFrame) -> Iterator[DataFrame]:
    """The frame, read back from files where the platform names a folder for that.

    For what is read several times: checked, counted, merged. Databricks' MERGE does so itself. The
    embedded engine's computes its source several times and believes each time: with a source that
    is not the same twice (the last digit of a sum is enough) rows are lost or doubled.
    """
    spark = frame.sparkSession
    folder = getattr(spark, SOURCES, "")
    if not folder:
        yield frame
        return
    with tempfile.TemporaryDirectory(prefix="merge-", dir=folder) as place:
        yield landed(frame, place)


def add_constraint(spark: SparkSession, table: str, name: str, rule: str) -> None:
    """Let the table refuse rows for which the rule (SQL) is not true.

    Raises DataError when it holds such a row already.
    """
    from pyspark.errors import AnalysisException

    told = f"ALTER TABLE {quote(table)} ADD CONSTRAINT `{name}` CHECK ({rule})"
    try:
        spark.sql(told).collect()
    except AnalysisException as error:
        first = str(error).splitlines()[0]
        raise DataError(
            f"{table} can't be held to its contract ({first}): correct or delete the rows for which"
            f" this is not true: {rule}"
        ) from error


def constraint_name(name: str, rule: str) -> str:
    """What a rule is called as a constraint; it changes with the rule, which can't be altered."""
    words = re.sub(r"\W+", "_", name.lower()).strip("_")
    return f"{OWN_CONSTRAINT}{words}_{zlib.crc32(rule.encode()):08x}"


def _merge_into(table: str, frame: DataFrame, keys: Sequence[str]) -> None:
    spark = frame.sparkSession
    view = f"merge_{uuid.uuid4().hex}"
    frame.createOrReplaceTempView(view)
    match = " AND ".join(f"t.{quote(key)} <=> s.{quote(key)}" for key in keys)
    columns = [quote(name) for name in frame.columns]
    assignments = ", ".join(f"t.{name} = s.{name}" for name in columns)
    values = ", ".join(f"s.{name}" for name in columns)
    try:
        spark.sql(
            f"MERGE INTO {quote(table)} t USING {view} s ON {match} "
            f"WHEN MATCHED THEN UPDATE SET {assignments} "
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({values})"
        ).collect()
    finally:
        spark.catalog.dropTempView(view)


def _create(frame: DataFrame, table: str) -> None:
    """A table of these rows; every local one is made here, and keeps no statistics.

    From statistics the embedded engine (0.7.2) takes a column of one value and NaN for a constant,
    so that NaN would be read as that value. Files are few here: skipping them gains nothing.
    """
    writer = _nullable(frame).write.format("delta")
    if getattr(frame.sparkSession, SOURCES, ""):
        writer = writer.option("delta.dataSkippingNumIndexedCols", "0")
    writer.saveAsTable(table)


def _nullable(frame: DataFrame) -> DataFrame:
    """The frame without NOT NULL, as Spark's own saveAsTable makes a table of it.

    The embedded engine keeps NOT NULL, and each such column doubles the time of its MERGE.
    """
    from pyspark.sql.types import StructType

    empty = StructType()
    for field in frame.schema.fields:
        empty.add(field.name, field.dataType)
    return frame.sparkSession.createDataFrame([], empty).union(frame)


def changed_rows(frame: DataFrame, table: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Rows that the table lacks or has otherwise, so that a repeated run rewrites no file."""
    from pyspark.sql import functions as F

    there = table.select(*frame.columns, F.lit(True).alias("__there")).alias("t")
    match = [F.col(f"s.{quote(key)}").eqNullSafe(F.col(f"t.{quote(key)}")) for key in keys]
    # As text: messages of Spark Connect may not be nested deeply.
    # Maps can't be compared: as JSON.
    maps = {name for name, kind in frame.dtypes if "map<" in kind}
    alike = " AND ".join(
        (
            f"to_json(s.{quote(name)}) <=> to_json(t.{quote(name)})"
            if name in maps
            else f"s.{quote(name)} <=> t.{quote(name)}"
        )
        for name in frame.columns
    )
    changed = F.expr(f"t.__there IS NULL OR NOT ({alike})")
    return frame.alias("s").join(there, match, "left").where(changed).select("s.*")


def _refuse_duplicates(frame: DataFrame, table: str, keys: Sequence[str]) -> None:
    from pyspark.sql import functions as F

    rows = frame.groupBy(*map(column, keys)).agg(F.count(F.lit(1)).alias("__rows"))
    if found := rows.where("__rows > 1").limit(3).collect():
        shown = "; ".join(", ".join(f"{key}={row[key]}" for key in keys) for row in found)
        raise DataError(f"{table}: several rows for one key ({', '.join(keys)}), such as {shown}")
