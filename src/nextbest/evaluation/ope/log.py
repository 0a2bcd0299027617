"""A log of decisions as evaluation needs it: one row per decision, checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nextbest.errors import DataError

MODEL = "q̂"
LOGGING = "logging"  # the name of the policy that wrote the log; no target may take it
ROWS = 8192  # of whole distributions, worked on at a time
SLACK = 1e-12  # what rounding may add to a probability of 1
SUM_SLACK = 1e-6  # what rows of single precision may be off


@dataclass(frozen=True)
class Target:
    """What one target policy says of every logged decision: arrays, or names of columns.

    probability: π(a|x) of the treatment a that was logged, in [0, 1];
    q_target: Σ_a π(a|x) q̂(x, a), the model's value of the policy's own choice (optional);
    unsupported: Σ_a π(a|x) over the treatments that the logging policy could not have chosen
    (optional; without it support is only what the mean weight shows).
    """

    probability: Any
    q_target: Any = None
    unsupported: Any = None


@dataclass(frozen=True)
class LogColumns:
    """Which column of a frame holds what; `key` (optional) names a row in a message."""

    targets: Mapping[str, Target]
    reward: str = "reward"
    propensity: str = "propensity"
    q_logged: str | None = None
    key: str | None = None


@dataclass(frozen=True, eq=False)
class LoggedBatch:
    """Logged decisions as numpy columns of one length; a batch may be empty, a log may not.

    reward: any finite real (net value, click); propensity: probability with which the logged
    treatment was chosen, in (0, 1]; targets: by name of the policy; q_logged: q̂(x, a) of the
    logged treatment (optional, but then every target has a q_target, and the other way round).
    Raises DataError with every column that is wrong: how many rows, and the first of them.
    """

    reward: np.ndarray
    propensity: np.ndarray
    targets: Mapping[str, Target]
    q_logged: np.ndarray | None = None

    def __post_init__(self) -> None:
        problems = shape_problems(self.targets, self.q_logged)
        arrays = {name: _array(name, values, problems) for name, values, _ in columns(self)}
        if problems:
            raise DataError("log: " + "; ".join(problems))
        lengths = {name: len(values) for name, values in arrays.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DataError(
                f"log: the columns differ in length ({told}); give one row per decision"
            )
        for name, _, kind in columns(self):
            bad = _invalid(arrays[name], kind)
            if len(bad):
                problems.append(_told(name, bad, arrays[name], f"not {MEANING[kind]}"))
        if problems:
            raise DataError("log: " + "; ".join(problems))
        object.__setattr__(self, "reward", arrays["reward"])
        object.__setattr__(self, "propensity", arrays["propensity"])
        object.__setattr__(self, "q_logged", arrays.get("q_logged"))
        targets = {
            policy: Target(
                arrays[f"{policy}.probability"],
                arrays.get(f"{policy}.q_target"),
                arrays.get(f"{policy}.unsupported"),
            )
            for policy in self.targets
        }
        object.__setattr__(self, "targets", targets)

    def __len__(self) -> int:
        return len(self.reward)

    def take(self, rows: Any) -> LoggedBatch:
        """The decisions at `rows` (places, or a slice) alone."""
        targets = {
            policy: Target(
                *(None if part is None else part[rows] for part in vars(target).values())
            )
            for policy, target in self.targets.items()
        }
        q_logged = None if self.q_logged is None else self.q_logged[rows]
        return LoggedBatch(self.reward[rows], self.propensity[rows], targets, q_logged)


MEANING = {
    "real": "finite numbers",
    "chance": "probabilities in (0, 1]: what was chosen had a chance to be chosen",
    "share": "probabilities in [0, 1]",
}
_LARGEST = float(np.finfo("float64").max)
RANGES = {
    "real": (-_LARGEST, _LARGEST),
    "chance": (math.ulp(0.0), 1 + SLACK),
    "share": (0.0, 1 + SLACK),
}


def columns(log: LoggedBatch | LogColumns) -> Iterator[tuple[str, Any, str]]:
    """Every column that is present: its name in messages, its values (or column), its kind."""
    yield "reward", log.reward, "real"
    yield "propensity", log.propensity, "chance"
    if log.q_logged is not None:
        yield "q_logged", log.q_logged, "real"
    for policy, target in log.targets.items():
        yield f"{policy}.probability", target.probability, "share"
        if target.q_target is not None:
            yield f"{policy}.q_target", target.q_target, "real"
        if target.unsupported is not None:
            yield f"{policy}.unsupported", target.unsupported, "share"


def shape_problems(targets: Mapping[str, Target], q_logged: Any) -> list[str]:
    """What is wrong with the choice of columns itself, before any row is looked at."""
    problems = []
    if not targets:
        problems.append("no target policy: name at least one")
    if LOGGING in targets:
        problems.append(f"'{LOGGING}' is the policy that wrote the log: rename the target")
    modelled = [policy for policy, target in targets.items() if target.q_target is not None]
    if q_logged is not None and len(modelled) < len(targets):
        missing = ", ".join(sorted(set(targets) - set(modelled)))
        problems.append(f"q_logged needs a q_target of every target; it is missing for {missing}")
    if q_logged is None and modelled:
        problems.append(f"q_target of {', '.join(modelled)} needs q_logged")
    checked = [policy for policy, target in targets.items() if target.unsupported is not None]
    if checked and len(checked) < len(targets):
        missing = ", ".join(sorted(set(targets) - set(checked)))
        problems.append(f"unsupported is given for some targets, but not for {missing}")
    return problems


def from_matrices(
    reward: np.ndarray,
    propensity: np.ndarray,
    treatment: np.ndarray,
    policies: Mapping[str, np.ndarray],
    q: np.ndarray | None = None,
) -> LoggedBatch:
    """Logged decisions (n,) with whole distributions: π(·|x) [n, K] of each policy, q̂(x, ·) [n, K].

    treatment: the column that was logged, from 0. Raises DataError when a shape does not fit, a
    treatment is no column or a row of a policy is no distribution, and as LoggedBatch does.
    """
    treatment = np.asarray(treatment)
    if not policies:
        raise DataError("log: no target policy: name at least one")
    given = dict(policies) if q is None else {**policies, MODEL: q}
    problems: list[str] = []
    matrices = {name: _array(name, each, problems, 2) for name, each in given.items()}
    if problems:
        raise DataError("log: " + "; ".join(problems))
    policies = {name: matrices[name] for name in policies}
    q = matrices.get(MODEL)
    n, k = next(iter(policies.values())).shape
    problems = [
        f"{name}: shape {each.shape}, not {(n, k)}"
        for name, each in matrices.items()
        if each.shape != (n, k)
    ]
    if treatment.shape != (n,) or treatment.dtype.kind not in "iu":
        problems.append(f"treatment: {treatment.shape} of {treatment.dtype}; give {n} integers")
    elif n and (treatment.min() < 0 or treatment.max() >= k):
        wrong = np.flatnonzero((treatment < 0) | (treatment >= k))
        problems.append(_told("treatment", wrong, treatment, f"no column from 0 to {k - 1}"))
    if problems:
        raise DataError("log: " + "; ".join(problems))
    picked = {name: np.empty(n) for name in matrices}
    expected = {name: np.empty(n) for name in policies}
    firsts = k * np.arange(min(n, ROWS))
    wrong: dict[str, list[np.ndarray]] = {name: [] for name in policies}
    for start in range(0, n, ROWS):  # so that each row is fetched from memory once
        rows = slice(start, start + ROWS)
        place = firsts[: n - start] + treatment[rows]
        for name, each in policies.items():
            wrong[name].append(start + _no_distributions(each[rows]))
            if q is not None:
                np.einsum("ij,ij->i", each[rows], q[rows], out=expected[name][rows])
        for name, each in matrices.items():  # places are checked above: nothing is clipped
            np.take(each[rows].ravel(), place, out=picked[name][rows], mode="clip")
    problems = [
        _told(name, bad, policies[name], "no distribution (not negative, sum 1)")
        for name, places in wrong.items()
        if len(bad := np.concatenate([*places, np.empty(0, dtype=int)]))
    ]
    if problems:
        raise DataError("log: " + "; ".join(problems))
    targets = {
        name: Target(picked[name], None if q is None else expected[name]) for name in policies
    }
    return LoggedBatch(reward, propensity, targets, picked.get(MODEL))


def _no_distributions(rows: np.ndarray) -> np.ndarray:
    """Places of the rows [m, K] that are negative somewhere, or don't sum to 1."""
    off = np.einsum("ij->i", rows)  # a third of the time of sum(axis=1)
    off -= 1.0
    if rows.min(initial=0.0) >= 0.0 and max(off.max(), -off.min()) <= SUM_SLACK:  # false for NaN
        return np.empty(0, dtype=int)
    return np.flatnonzero(~((np.abs(off) <= SUM_SLACK) & (rows >= 0.0).all(axis=1)))


def _told(name: str, bad: np.ndarray, values: np.ndarray, what: str) -> str:
    first = f"the first is row {bad[0]} ({values[bad[0]]})"
    return f"{name}: {len(bad)} of {len(values)} rows are {what}; {first}"


def from_pandas(frame: pd.DataFrame, names: LogColumns) -> LoggedBatch:
    """Take the named columns out of a pandas frame; rows are counted from 0 in messages.

    Raises DataError for columns that don't exist (all together) and for what LoggedBatch refuses.
    """
    absent = [column for _, column, _ in columns(names) if column not in frame.columns]
    if absent:
        raise DataError(
            f"log: no column {', '.join(sorted(set(absent)))}; "
            f"there are {', '.join(map(str, frame.columns))}"
        )
    targets = {
        policy: Target(
            frame[target.probability],
            None if target.q_target is None else frame[target.q_target],
            None if target.unsupported is None else frame[target.unsupported],
        )
        for policy, target in names.targets.items()
    }
    q_logged = None if names.q_logged is None else frame[names.q_logged]
    return LoggedBatch(frame[names.reward], frame[names.propensity], targets, q_logged)


def invalid_rows(frame: pd.DataFrame, names: LogColumns) -> dict[str, tuple[np.ndarray, float]]:
    """Places of the rows that LoggedBatch would refuse, and the first such value, by column."""
    found = {}
    for name, column, kind in columns(names):
        values = frame[column].to_numpy(dtype="float64", na_value=np.nan)
        bad = _invalid(values, kind)
        if len(bad):
            found[name] = (bad, float(values[bad[0]]))
    return found


def _array(name: str, values: Any, problems: list[str], dimensions: int = 1) -> np.ndarray:
    try:
        if isinstance(values, pd.Series):
            array = values.to_numpy(dtype="float64", na_value=np.nan)
        else:
            array = np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        problems.append(f"{name}: not numbers ({error})")
        return np.empty(0)
    if array.ndim != dimensions:
        wanted = "one number per decision" if dimensions == 1 else "[decisions, treatments]"
        problems.append(f"{name}: {array.ndim} dimensions; give {wanted}")
        return np.empty(0)
    return array


def _invalid(values: np.ndarray, kind: str) -> np.ndarray:
    """Places of the values (n,) that are not of a kind."""
    low, high = RANGES[kind]
    if not len(values) or (values.min() >= low and values.max() <= high):  # false for NaN
        return np.empty(0, dtype=int)
    return np.flatnonzero(~((values >= low) & (values <= high)))
