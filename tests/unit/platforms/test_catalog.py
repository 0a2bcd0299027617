"""What tables say of themselves and refuse by themselves, on both platforms."""

from __future__ import annotations

import uuid
from unittest import mock

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession

from nextbest import tables
from nextbest.data.contracts import contracts
from nextbest.data.judging import constraints
from nextbest.errors import DataError, PlatformError
from nextbest.platforms.databricks.catalog import DatabricksCatalog
from nextbest.platforms.local.catalog import LocalCatalog
from nextbest.platforms.local.session import open_session
from nextbest.platforms.texts import ColumnText, TableText

RULES = {"0 < p <= 1": "p > 0 AND p <= 1", "p is not null": "p IS NOT NULL"}
TEXT = TableText(
    "dev.nba.t",
    "It's <one> table",
    (
        ColumnText("p", 'A "chance" & more', "share", "30 days", "interactions"),
        ColumnText("q", "Plain"),
        ColumnText("gone", "Not there yet"),
    ),
)


@pytest.fixture
def name():
    return f"juan_dev.ml_nba_demo_dev.t_{uuid.uuid4().hex}"


@pytest.mark.integration
def test_a_local_table_keeps_its_rules_itself(spark, spark_home, name):
    catalog = LocalCatalog(spark, spark_home, spark_home)
    tables.merge(spark.createDataFrame([(1, 0.5)], "k int, p double"), name, ["k"])
    for _ in range(2):  # a second time there is nothing to do
        catalog.constrain(name, RULES)
    for broken in (1.5, None, float("nan"), 0.0):
        with pytest.raises(PySparkException, match="CHECK constraint rule_.*violated"):
            tables.merge(spark.createDataFrame([(2, broken)], "k int, p double"), name, ["k"])
        with pytest.raises(PySparkException, match="CHECK constraint rule_.*violated"):
            tables.merge(spark.createDataFrame([(1, broken)], "k int, p double"), name, ["k"])
    assert [tuple(row) for row in spark.table(name).collect()] == [(1, 0.5)]
    with pytest.raises(DataError, match="can't be held to its contract.*p < 0.1"):
        catalog.constrain(name, {**RULES, "small": "p < 0.1"})
    # A changed rule takes the place of the old one, in the next session.
    with pytest.raises(PlatformError, match="rule_p_is_not_null.* were dropped.*once more"):
        catalog.constrain(name, {"0 < p <= 1": "p > 0 AND p <= 2"})
    later = open_session(spark_home, [name.rpartition(".")[0]])
    tables.merge(later.createDataFrame([(2, 1.5)], "k int, p double"), name, ["k"])
    LocalCatalog(later, spark_home, spark_home).constrain(name, {"0 < p <= 1": "p > 0 AND p <= 2"})
    assert later.table(name).count() == 2
    later.stop()


@pytest.mark.integration
@pytest.mark.parametrize("source", ["simulated", "open_bandit"])
def test_every_declared_rule_is_one_that_the_engine_takes(spark, spark_home, name, source):
    for contract in contracts(source).values():
        kinds = ", ".join(f"{column.name} {column.type}" for column in contract.columns)
        table = f"{name}_{contract.table}"
        tables.merge(spark.createDataFrame([], kinds), table, contract.keys)
        LocalCatalog(spark, spark_home, spark_home).constrain(table, constraints(contract))
        nothing = spark.createDataFrame([tuple(None for _ in contract.columns)], kinds)
        with pytest.raises(PySparkException, match="CHECK constraint rule_.*violated"):
            tables.merge(nothing, table, contract.keys)


@pytest.mark.unit
def test_the_local_page_needs_no_other_file(tmp_path):
    LocalCatalog(mock.create_autospec(SparkSession), tmp_path, tmp_path).describe(
        "features", [TEXT]
    )
    page = (tmp_path / "features.html").read_text(encoding="utf-8")
    for told in (
        "It&#x27;s &lt;one&gt; table",
        "A &quot;chance&quot; &amp; more",
        "30 days",
        "share",
    ):
        assert told in page
    assert "http" not in page
    assert "<link" not in page
    assert page.count("<tr>") == 4


@pytest.mark.unit
def test_databricks_comments_what_is_not_commented_so():
    spark, sent = workspace({"DESCRIBE": [("p", "old"), ("q", "Plain")]})
    DatabricksCatalog(spark).describe("features", [TEXT])
    assert sent == [
        "COMMENT ON TABLE `dev`.`nba`.`t` IS 'It\\'s <one> table'",
        "DESCRIBE TABLE `dev`.`nba`.`t`",
        "ALTER TABLE `dev`.`nba`.`t` ALTER COLUMN `p` COMMENT"
        " 'A \"chance\" & more. Window: 30 days. Unit: share. Source: interactions'",
    ]


@pytest.mark.unit
def test_databricks_adds_and_drops_constraints_by_name():
    stale, (first, second) = "rule_stale_00000000", (
        tables.constraint_name(*r) for r in RULES.items()
    )
    properties = [
        (f"delta.constraints.{stale}", "p > 3"),
        (f"delta.constraints.{first}", "p > 0 AND p <= 1"),
        ("delta.constraints.theirs", "p < 9"),
        ("delta.minReaderVersion", "1"),
    ]
    spark, sent = workspace({"SHOW": properties})
    DatabricksCatalog(spark).constrain("dev.nba.t", RULES)
    assert sent == [
        "SHOW TBLPROPERTIES `dev`.`nba`.`t`",
        f"ALTER TABLE `dev`.`nba`.`t` DROP CONSTRAINT `{stale}`",
        f"ALTER TABLE `dev`.`nba`.`t` ADD CONSTRAINT `{second}` CHECK (p IS NOT NULL)",
    ]


@pytest.mark.unit
def test_databricks_opens_a_table_by_name_and_a_folder_by_path():
    spark = mock.Mock()
    catalog = DatabricksCatalog(spark)
    assert catalog.open_delta("a.b.c") is spark.table.return_value
    spark.table.assert_called_once_with("a.b.c")
    assert catalog.open_delta("/Volumes/a/b/c") is spark.read.format.return_value.load.return_value
    spark.read.format.assert_called_once_with("delta")
    spark.read.format.return_value.load.assert_called_once_with("/Volumes/a/b/c")


def workspace(answers):
    """A session that keeps the statements it was sent and answers by their first word."""
    names = {"DESCRIBE": ("col_name", "comment"), "SHOW": ("key", "value")}
    sent = []

    def sql(statement):
        sent.append(statement)
        word = statement.split()[0]
        rows = [Row(**dict(zip(names[word], row, strict=True))) for row in answers.get(word, ())]
        return mock.Mock(collect=lambda: rows)

    spark = mock.create_autospec(SparkSession)
    spark.sql.side_effect = sql
    return spark, sent


def test_a_delta_log_that_can_not_be_read_whole_leaves_no_draft(spark, tmp_path):
    rows, volume = tmp_path / "rows", tmp_path / "volume"
    volume.mkdir()
    write_deltalake(str(rows), pa.table({"a": [1]}))
    write_deltalake(str(rows), pa.table({"a": [2]}), mode="append")
    sorted(rows.glob("*.parquet"))[0].write_bytes(b"no Parquet")
    with pytest.raises(DataError, match="can't be read whole: .*Parquet"):
        LocalCatalog(spark, tmp_path, volume).open_delta(str(rows))
    assert list(volume.rglob("*.*")) == []
