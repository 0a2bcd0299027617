"""The real client's join on Apache Spark, in a process of its own, for a folder per line of stdin.

FOLDER/tables.pickle holds cases.Table, FOLDER/cases.pickle cases.Case; FOLDER/results.pickle gets
for each case ("frame", Arrow table) or ("error", text); then the folder's name is printed. It
stands in for the workspace: what the client would ask of it is answered from the tables.
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest import mock

from pyspark import cloudpickle


def load_cases():
    """The neighbour cases.py under its own name, which pickle needs."""
    place = Path(__file__).with_name("cases.py")
    spec = importlib.util.spec_from_file_location("cases", place)
    sys.modules["cases"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cloudpickle.register_pickle_by_value(module)  # Spark's Python workers can't import it
    return module


def without_a_screen():
    """Tempo wants IPython for its displays, which nobody looks at here."""
    parts = {"IPython": ["get_ipython"], "IPython.core": [], "IPython.core.display": ["HTML"],
             "IPython.display": ["display"]}  # fmt: skip
    for name, names in parts.items():
        module = types.ModuleType(name)
        module.__dict__.update({name: lambda *given: None for name in names})
        sys.modules[name] = module


def once(module, name, groups, built):
    """Let the client build each of its frames once: it does so for the types, and to load it."""
    build = getattr(module, name)

    def again(df, **given):
        key = (id(df), *(each.output_name for each in given[groups]))
        if key not in built:
            built[key] = df, build(df=df, **given)  # with df, so that its id stays its own
        return built[key][1]

    setattr(module, name, again)


class Workspace:
    """Apache Spark with the feature tables, and what the client's catalog knows of them."""

    def __init__(self, spark, cases, folder):
        from databricks.ml_features.entities.data_type import DataType
        from databricks.ml_features.utils import training_scoring_utils as parts

        self.spark = spark
        frames, features, metadata = {}, {}, {}
        for table in pickle.loads((folder / "tables.pickle").read_bytes()):
            frame = spark.createDataFrame(table.rows)
            frames[table.name] = frame
            features[table.name] = [
                types.SimpleNamespace(
                    name=each.name,
                    data_type=DataType.spark_type_to_string(each.dataType),
                    data_type_details=each.dataType.json(),
                )
                for each in frame.schema
            ]
            metadata[table.name] = types.SimpleNamespace(
                primary_keys=list(table.keys), partition_columns=[], table_id="id",
                timestamp_keys=[table.timestamp] if table.timestamp else [],
            )  # fmt: skip
        self.tables = parts._FeatureTableMetadata(features, metadata, frames)
        self.functions = {each.__name__: _function_info(each) for each in cases.FUNCTIONS}
        for each in cases.FUNCTIONS:
            spark.udf.register(each.__name__, each, self.functions[each.__name__].full_data_type)

    def training_set(self, case):
        """As FeatureEngineeringClient.create_training_set; the server's share is the spec."""
        from databricks.feature_engineering import FeatureFunction, FeatureLookup
        from databricks.ml_features.entities.training_set import TrainingSet
        from databricks.ml_features.utils import training_scoring_utils as parts
        from databricks.ml_features_common.utils.data_type_utils import serialize_default_value

        spine = self.spark.createDataFrame(case.spine)
        lookups = [_lookup(FeatureLookup, given) for given in case.lookups]
        functions = [
            FeatureFunction(udf_name=f["function"], input_bindings=f["inputs"],
                            output_name=f["output"])
            for f in case.functions
        ]  # fmt: skip
        labels = [case.label] if isinstance(case.label, str) else list(case.label or [])
        parts.verify_df_and_labels(spine, labels, case.exclude)
        infos = parts.get_column_infos(lookups, functions, self.tables)
        # The client refuses features that the frame has, where its join lets them override; it is
        # the join that is the oracle, so they are no source columns of the spec.
        overriding = {info.output_name for info in infos.feature_column_infos}
        columns = [name for name in spine.columns if name not in overriding]
        infos = parts.get_column_infos(lookups, functions, self.tables, columns, labels)
        client = mock.Mock()
        client.functions.get = lambda name: self.functions[name]
        parts.validate_column_infos(
            mock.Mock(), client, self.tables, infos.source_data_column_infos,
            infos.feature_column_infos, infos.on_demand_column_infos, labels,
        )  # fmt: skip
        defaults = {k: v for each in lookups for k, v in each.default_values.items()}
        for info in infos.feature_column_infos:
            info._default_value_str = serialize_default_value(defaults.get(info.output_name))
        spec = parts.build_feature_spec(lookups, self.tables, infos, case.exclude, 1)
        return TrainingSet(
            spec, spine, labels, self.tables.feature_table_metadata_map,
            self.tables.feature_table_data_map, self.functions,
        )  # fmt: skip


def _lookup(kind, given):
    return kind(
        table_name=given["table"], lookup_key=list(given["keys"]),
        feature_names=list(given.get("features", ())) or None,
        rename_outputs=given.get("renames"), timestamp_lookup_key=given.get("timestamp"),
        lookback_window=given.get("lookback"), default_values=given.get("defaults"),
    )  # fmt: skip


def _function_info(function):
    from nextbest.platforms.functions import catalog_function

    told = catalog_function(f"c.s.{function.__name__}", function)
    parameters = [types.SimpleNamespace(name=n, type_text=kind) for n, kind in told.parameters]
    return types.SimpleNamespace(
        full_name=function.__name__, external_language="Python", full_data_type=told.returns,
        input_params=types.SimpleNamespace(parameters=parameters), routine_definition=None,
    )  # fmt: skip


def answer(workspace, case):
    """What the client gives for a case: its frame, or that it refuses."""
    from pyspark.errors import PySparkException

    try:
        return "frame", workspace.training_set(case).load_df().toArrow()
    except (ValueError, TypeError, LookupError, OverflowError, PySparkException) as error:
        return "error", f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"


def main():
    from pyspark.sql import SparkSession

    cases = load_cases()
    without_a_screen()
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.default.parallelism", "1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.codegen.wholeStage", "false")  # cases are small: compiling costs more
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.autoBroadcastJoinThreshold", "-1")
        .config("spark.python.sql.dataFrameDebugging.enabled", "false")  # a call of Java per column
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.sql.warehouse.dir", sys.argv[1])
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    from databricks.ml_features.entities import training_set

    built = {}
    once(training_set, "join_feature_data_if_not_overridden", "features_to_join", built)
    once(training_set, "apply_functions_if_not_overridden", "functions_to_apply", built)
    # Of a case a thread waits for the other process most of the time: Python's, or Java's.
    with ThreadPoolExecutor(2) as threads:
        for line in sys.stdin:
            folder = Path(line.rstrip("\n"))
            workspace = Workspace(spark, cases, folder)
            asked = pickle.loads((folder / "cases.pickle").read_bytes())
            results = list(threads.map(partial(answer, workspace), asked))
            (folder / "results.pickle").write_bytes(pickle.dumps(results))
            built.clear()
            print(folder, flush=True)


if __name__ == "__main__":
    main()
