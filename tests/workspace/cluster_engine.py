"""On the cluster's stand-in: the embedded engine as a notebook's Spark, with Unity Catalog's ways.

Imported before any notebook runs. Tables that other processes made are found; statements that the
engine lacks are kept, one a line, in LAKEHOUSE/statements.log; what only waits does not wait long.
"""

from __future__ import annotations

import os
import re

from deltalake import DeltaTable

from nextbest.platforms.databricks import monitors, online_store, serving
from nextbest.platforms.local import session
from nextbest.tables import quote
from workspace import feature_client
from workspace.ledger_sql import for_the_engine

NOTED = re.compile(r"COMMENT ON |ALTER TABLE \S+ (ALTER COLUMN|SET TBLPROPERTIES) ")
PROPERTIES = re.compile(r"SHOW TBLPROPERTIES (\S+)")
LEDGER = re.compile(r"\S+`\w*promotions`")
open_engine = session.open_session


class UnitySession:
    """A session whose catalog is the lakehouse as it is now."""

    def __init__(self, spark, lakehouse):
        self._spark, self._lakehouse = spark, lakehouse

    def __getattr__(self, name):
        return getattr(self._spark, name)

    @property
    def catalog(self):
        return self

    def tableExists(self, name):
        return self._found(name) is not None or self._spark.catalog.tableExists(name)

    def table(self, name):
        self.tableExists(name)
        return self._spark.table(name)

    def sql(self, text, *given, **options):
        if NOTED.match(text):
            with (self._lakehouse / "statements.log").open("a") as log:
                log.write(text.replace("\n", " ") + "\n")
            return self._spark.createDataFrame([], "done string")
        if shown := PROPERTIES.fullmatch(text):
            known = DeltaTable(str(self._found(shown[1].replace("`", ""))))
            rows = [(key, str(value)) for key, value in known.metadata().configuration.items()]
            return self._spark.createDataFrame(rows, "key string, value string")
        if ledger := LEDGER.search(text):
            self._found(ledger[0].replace("`", ""))
            return self._spark.sql(for_the_engine(text, options.get("args")))
        return self._spark.sql(text, *given, **options)

    def _found(self, name):
        """The folder of a table, which the engine's catalog knows from now on."""
        folder = self._lakehouse.joinpath(*name.split("."))
        if not (folder / "_delta_log").is_dir():
            return None
        if not self._spark.catalog.tableExists(name):
            self._spark.sql(f"CREATE TABLE {quote(name)} USING delta LOCATION '{folder}'")
        return folder


def open_session(lakehouse, schemas):
    spark = UnitySession(open_engine(lakehouse, schemas), lakehouse)
    feature_client.stand_in(spark, lakehouse)
    return spark


session.open_session = open_session
monitors.POLL_SECONDS = online_store.POLL_SECONDS = serving.POLL_SECONDS = 0.1
os.environ.setdefault("DATABRICKS_SDK_UPSTREAM", "nextbest-tests")
