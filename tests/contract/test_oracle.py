"""Our training sets against those of Databricks' own client on Apache Spark, on random cases."""

from __future__ import annotations

import math
import random
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, TrainingSpec

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("oracle")]


@pytest.fixture(scope="module")
def ours(spark, spark_home, tmp_path_factory, cases):
    """(tables, cases) -> [("frame" or "error", what)] by the local feature store."""
    from nextbest.platforms.local.feature_store import LocalFeatureStore

    store = LocalFeatureStore(spark, spark_home)
    schema = "juan_dev.ml_nba_demo_dev"
    for function in cases.FUNCTIONS:
        store.register(f"{schema}.{function.__name__}", function)
    folder = tmp_path_factory.mktemp("ours")

    def read(table):
        file = folder / f"{random.getrandbits(64)}.parquet"
        # With statistics the engine takes a column of one value and NaN for a constant.
        pq.write_table(table, file, coerce_timestamps="us", write_statistics=False)
        return spark.read.parquet(str(file))

    def one(case):
        try:
            lookups = [Lookup(**given) for given in case.lookups]
            functions = [
                FeatureFunction(f"{schema}.{f['function']}", f["inputs"], f["output"])
                for f in case.functions
            ]
            labels = [case.label] if isinstance(case.label, str) else case.label or ()
            frame = store.training_set(
                TrainingSpec(read(case.spine), lookups, functions, labels, case.exclude)
            )
        except DataError as error:
            return "error", str(error)
        return "frame", frame.toArrow()

    def answer(tables, asked):
        for table in tables:
            store.write(table.name, read(table.rows), table.keys, table.timestamp)
        return [one(case) for case in asked]

    return answer


def rows(table: pa.Table, names: list[str]) -> Counter:
    """The rows, each as text, with how often they are there."""
    return Counter(
        tuple(_told(row[name]) for name in names) for row in table.select(names).to_pylist()
    )


def _told(value) -> str:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value + 0.0)
    return repr(value)


def kinds(table: pa.Table) -> dict[str, str]:
    return {field.name: str(field.type).replace("large_", "") for field in table.schema}


def compare(asked, theirs, mine) -> list[str]:
    """Where the two differ, each with its case."""
    differ = []
    for number, (case, (kind, they), (our_kind, we)) in enumerate(
        zip(asked, theirs, mine, strict=True)
    ):
        if kind != our_kind:
            what = f"client: {kind} {they if kind == 'error' else ''}; ours: {our_kind} {we}"
        elif kind == "error":
            continue
        elif sorted(they.column_names) != sorted(we.column_names):
            what = f"columns {they.column_names} and {we.column_names}"
        elif not _overrides(case) and they.column_names != we.column_names:
            what = f"order {they.column_names} and {we.column_names}"
        elif kinds(they) != kinds(we):
            what = f"types {kinds(they)} and {kinds(we)}"
        elif (left := rows(they, they.column_names)) != (right := rows(we, they.column_names)):
            what = f"rows: only client {left - right}, only ours {right - left}"
        else:
            continue
        differ.append(f"case {number}: {what[:1500]}\n  {case.lookups}\n  {case.functions}")
    return differ


def _overrides(case) -> bool:
    """Whether the spine may have a looked-up feature, which has no place in the client's spec."""
    outputs = {
        lookup["renames"].get(name, name)
        for lookup in case.lookups
        for name in [*lookup.get("features", ()), "x", "y", "u", "v", "w", "a name"]
    }
    return not outputs.isdisjoint(case.spine.column_names)


def check(cases, oracle, ours, seeds, each):
    differ, frames, errors = [], 0, 0
    for seed in seeds:
        rng = random.Random(seed)
        tables = [cases.table(rng, f"oracle_{seed}_{number}") for number in range(8)]
        asked = [cases.case(rng, tables) for _ in range(each)]
        answered = oracle(tables, asked)
        mine = ours(tables, asked)  # while the other engine works
        theirs = answered()
        differ += [f"seed {seed}, {text}" for text in compare(asked, theirs, mine)]
        frames += sum(kind == "frame" for kind, _ in theirs)
        errors += sum(kind == "error" for kind, _ in theirs)
        print(f"seed {seed}: {frames} frames, {errors} errors, {len(differ)} differ")
    assert not differ, f"{len(differ)} of {frames + errors} differ\n" + "\n".join(differ[:20])
    return frames, errors


def test_eight_cases(cases, oracle, ours):
    frames, _ = check(cases, oracle, ours, [1], 8)
    assert frames >= 4


@pytest.mark.slow
def test_fifty_cases(cases, oracle, ours):
    frames, errors = check(cases, oracle, ours, [1], 50)
    assert frames >= 30
    assert errors >= 3


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(100, 125, 5))
def test_a_thousand_cases(cases, oracle, ours, first):
    frames, errors = check(cases, oracle, ours, range(first, first + 5), 44)
    assert frames >= 120
    assert errors >= 20
