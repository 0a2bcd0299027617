"""What happens behind two endpoints, by our own code: data profiling and model serving."""

from __future__ import annotations

from deltalake import DeltaTable, write_deltalake

from nextbest.platforms import Monitor
from nextbest.platforms.local.serving import plain
from nextbest.platforms.own_monitors import OwnMonitors

METRICS = ("profile_metrics", "drift_metrics")
PROFILED = ("double", "bigint", "string", "boolean")


def profile_by(spark, lakehouse):
    """Data profiling, by our own code: of a time series it tells no model versions apart."""

    def profile(monitor):
        log = monitor.get("inference_log") or monitor["time_series"]
        table = monitor["table_name"]
        folder = lakehouse.joinpath(*table.split(".")[:2])
        for name in (table, monitor["baseline_table_name"]):
            place = lakehouse.joinpath(*name.split("."))
            spark.sql(f"CREATE TABLE IF NOT EXISTS {name} USING delta LOCATION '{place}'")
        rows = spark.table(table)
        day = rows.selectExpr(f"date(max({log['timestamp_col']})) AS day").first()["day"]
        plain_kinds = [name for name, kind in rows.dtypes if kind in PROFILED]
        watched = Monitor(
            table, monitor["baseline_table_name"], log["timestamp_col"], log["granularities"][0],
            "model_version", "expected_value",
            tuple({*plain_kinds} & {*spark.table(monitor["baseline_table_name"]).columns}
                  - {"model_version"}),
        )  # fmt: skip
        OwnMonitors(spark).refresh(watched, day)
        ours = OwnMonitors(spark).tables(watched)
        for kind, name in zip(METRICS, (ours.profile, ours.drift), strict=True):
            found = DeltaTable(str(folder / name.rpartition(".")[2])).to_pyarrow_table()
            if "model_id_col" not in log:
                found = found.drop_columns("model_version")
            target = folder / f"{table.rpartition('.')[2]}_{kind}"
            write_deltalake(str(target), found, mode="overwrite")

    return profile


def answer_by(space, folder):
    """Model serving: the version's files as they were uploaded, loaded by MLflow."""

    def answer(entity, records):
        import mlflow
        import pandas as pd

        place = f"/Models/{entity['entity_name'].replace('.', '/')}/{entity['entity_version']}/"
        for path, content in space.kept["files"].items():
            if path.startswith(place):
                file = folder / path.removeprefix(place)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        return plain(mlflow.pyfunc.load_model(str(folder)).predict(pd.DataFrame(records)))

    return answer
