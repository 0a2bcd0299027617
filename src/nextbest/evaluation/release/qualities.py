"""Is the holdout what it was frozen as, whole, and about customers that no version learned from?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from nextbest.errors import DataError
from nextbest.evaluation.attempting import attempt
from nextbest.evaluation.gates import Gate, Measurement
from nextbest.evaluation.release.contest import CANDIDATE, Contender, Contest
from nextbest.evaluation.release.declared import Holdout

# Besides propensity, which has a gate of its own.
WHOLE = ("decision_id", "customer_id", "decided_at", "treatment", "eligible", "policy", "value")


def holdout_gates(asked: Holdout) -> tuple[Gate, ...]:
    """Gates of the rows themselves; hold them against `holdout_measurements`."""
    gates = [
        Gate("holdout, rows", "holdout_rows", ">=", asked.min_rows,
             "from fewer decisions nothing can be told"),
        Gate("holdout as frozen", "holdout_changes", "<=", 0,
             "every version is judged on the very same rows"),
        Gate("one row per decision", "holdout_duplicates", "<=", 0,
             "a decision that counts twice narrows every interval"),
        Gate("holdout without holes", "holdout_nulls", "<=", 0,
             "a decision without its value or its customer can't be judged on"),
        Gate("propensities", "wrong_propensities", "<=", 0,
             "what was chosen had a chance within (0, 1], and the log says which"),
        Gate("customers never learned from", "learned_from", "<=", 0,
             "what a model has seen flatters it"),
        Gate("nulls of features", "null_shift", "<=", asked.max_null_shift,
             "features of the holdout are filled as those that were learned from"),
    ]  # fmt: skip
    if asked.max_age_days is not None:
        gates.append(
            Gate("age of the holdout", "holdout_age_days", "<=", asked.max_age_days,
                 "a version is released for tomorrow")
        )  # fmt: skip
    return tuple(gates)


def holdout_measurements(
    contest: Contest, rows: pd.DataFrame, seen: Mapping[str, str]
) -> dict[str, Measurement]:
    """What `holdout_gates` ask for. `seen`: digests of the rows after each version's scoring."""
    candidate = contest.candidate
    features = candidate.decider.model.features if isinstance(candidate, Contender) else ()
    return {
        "holdout_rows": len(rows),
        "holdout_changes": attempt(lambda: _changes(contest.frozen, seen)),
        "holdout_duplicates": attempt(lambda: int(rows["decision_id"].duplicated().sum())),
        "holdout_nulls": attempt(lambda: int(_whole(rows)[list(WHOLE)].isna().sum().sum())),
        "wrong_propensities": attempt(lambda: _wrong_propensities(rows)),
        "learned_from": contest.learned_from,
        "null_shift": attempt(lambda: _null_shift(rows, contest.nulls, features)),
        "holdout_age_days": attempt(lambda: _age(rows, contest.terms.as_of)),
    }


def _changes(frozen: str, seen: Mapping[str, str]) -> int:
    """How many versions saw other rows than those frozen; the candidate must have seen any."""
    if CANDIDATE not in seen:
        raise DataError("the candidate was not scored")
    return sum(each != frozen for each in seen.values())


def _whole(rows: pd.DataFrame) -> pd.DataFrame:
    if missing := [name for name in WHOLE if name not in rows]:
        raise DataError(f"the holdout has no column {', '.join(missing)}")
    return rows


def _wrong_propensities(rows: pd.DataFrame) -> int:
    if "propensity" not in rows:
        raise DataError("the holdout has no column propensity")
    chance = pd.to_numeric(rows["propensity"], errors="coerce")
    return int((~((chance > 0) & (chance <= 1))).sum())


def _null_shift(rows: pd.DataFrame, nulls: Mapping[str, float], features: tuple[str, ...]) -> float:
    """The largest difference of a feature's share of nulls, over what the candidate looks at."""
    if not features:
        raise DataError("the candidate's features are not known")
    if rows.empty:
        raise DataError("there is no decision")
    unknown = [name for name in features if name not in nulls or name not in rows]
    if unknown:
        raise DataError(f"the holdout has no feature {', '.join(unknown)}")
    return max(abs(float(rows[name].isna().mean()) - nulls[name]) for name in features)


def _age(rows: pd.DataFrame, as_of: dt.date) -> float:
    if rows.empty:
        raise DataError("there is no decision")
    newest = pd.to_datetime(rows["decided_at"], utc=True).max()
    return (pd.Timestamp(as_of, tz="UTC") - newest) / pd.Timedelta(days=1)
