"""What a version costs to run, and whether it fits where the champion fitted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

import numpy as np
import pandas as pd

from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.attempting import attempt
from nextbest.evaluation.gates import Gate, Measurement
from nextbest.evaluation.release.contest import Contender
from nextbest.evaluation.release.declared import Running

TIMED_ROWS, ROUNDS = 1000, 7
ASKED_WITH = ("action_id", "channel")  # inputs that are no features
# MLflow's and Spark SQL's types, by what a request carries in JSON.
_NUMBER = ("integer", "int", "long", "bigint", "float", "double", "smallint", "tinyint", "decimal")


def running_gates(asked: Running, *, champion: bool) -> tuple[Gate, ...]:
    """Gates of time, size and schema; hold them against `running_measurements`."""
    gates = [
        Gate("time", "milliseconds", "<=", asked.max_milliseconds,
             "per 1,000 rows; requests wait for it"),
        Gate("size", "megabytes", "<=", asked.max_megabytes, "every worker loads it"),
        Gate("inputs in the feature table", "inputs_absent", "<=", 0,
             "what is not in the feature table is not there when it decides"),
        Gate("types of inputs, as in the feature table", "inputs_of_other_type", "<=", 0,
             "a request carries what the feature table holds"),
    ]  # fmt: skip
    if champion:
        gates += [
            Gate("time, over the champion's", "time_ratio", "<=", asked.max_time_ratio,
                 "medians of the same rows, taken in turns in one process"),
            Gate("size, over the champion's", "size_ratio", "<=", asked.max_size_ratio,
                 "what holds the one may not hold the other"),
            Gate("types of inputs, as the champion's", "inputs_of_new_type", "<=", 0,
                 "who sends requests sends what the champion took"),
            Gate("outputs, as the champion's", "outputs_lost", "<=", 0,
                 "who reads answers reads what the champion gave"),
        ]  # fmt: skip
    return tuple(gates)


def running_measurements(
    candidate: Contender,
    champion: Contender | NextBestError | None,
    rows: pd.DataFrame,
    table: Mapping[str, str],
) -> dict[str, Measurement]:
    """What `running_gates` ask for; with a champion that can't be had, its error."""
    size = attempt(lambda: _megabytes(candidate))
    found: dict[str, Measurement] = {
        "megabytes": size,
        "inputs_absent": attempt(lambda: _absent(candidate, table)),
        "inputs_of_other_type": attempt(lambda: _other(candidate.inputs, table)),
    }
    if not isinstance(champion, Contender):
        alone = attempt(lambda: _seconds({"candidate": candidate}, rows)["candidate"])
        found["milliseconds"] = alone if isinstance(alone, NextBestError) else 1000 * alone
        if champion is not None:
            names = ("time_ratio", "size_ratio", "inputs_of_new_type", "outputs_lost")
            found |= dict.fromkeys(names, champion)
        return found
    both = attempt(lambda: _seconds({"candidate": candidate, "champion": champion}, rows))
    if isinstance(both, NextBestError):
        found |= dict.fromkeys(("milliseconds", "time_ratio"), both)
    else:
        found["milliseconds"] = 1000 * both["candidate"]
        found["time_ratio"] = both["candidate"] / both["champion"]
    found["size_ratio"] = attempt(lambda: _megabytes(candidate) / _megabytes(champion))
    found["inputs_of_new_type"] = attempt(lambda: _other(candidate.inputs, champion.inputs))
    found["outputs_lost"] = len(set(champion.outputs) - set(candidate.outputs))
    return found


def _seconds(contenders: Mapping[str, Contender], rows: pd.DataFrame) -> dict[str, float]:
    """Median time by version to predict TIMED_ROWS of the rows, after one round to warm up."""
    if rows.empty:
        raise DataError("there is no decision to predict")
    asked = rows.iloc[np.linspace(0, len(rows) - 1, TIMED_ROWS).astype(int)].reset_index(drop=True)
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, each in contenders.items():
            start = time.perf_counter()
            each.decider.model.predict(asked)
            took[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[1:]) for name, times in took.items()}


def _megabytes(contender: Contender) -> float:
    if not contender.size:
        raise DataError(f"version {contender.version} does not say how large its files are")
    return contender.size / 1e6


def _absent(candidate: Contender, table: Mapping[str, str]) -> int:
    """Inputs, by signature or read by the model itself, that no feature table has.

    Raises DataError naming them; 0 otherwise.
    """
    if not candidate.inputs:
        raise DataError(f"version {candidate.version} has no signature")
    wanted = {*candidate.inputs, *candidate.decider.model.features}
    if absent := sorted(wanted - set(table) - set(ASKED_WITH)):
        raise DataError(f"not in the feature table: {', '.join(absent)}")
    return 0


def _other(mine: Mapping[str, str], theirs: Mapping[str, str]) -> int:
    """Inputs of another type than those of the same name; raises DataError naming them."""
    if wrong := [
        f"{name} is {mine[name]}, not {theirs[name]}"
        for name in sorted(set(mine) & set(theirs))
        if _kind(mine[name]) != _kind(theirs[name])
    ]:
        raise DataError("; ".join(wrong))
    return 0


def _kind(name: str) -> str:
    plain = name.split("(")[0]
    return "number" if plain in _NUMBER else "timestamp" if plain == "datetime" else plain
