"""The actions of a log: those that it names, with what a file tells of them."""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np
import pandas as pd

from nextbest.data.own_log.mapping import LogMapping
from nextbest.decisions.treatments import NONE
from nextbest.errors import DataError

TIMES = ("valid_from", "valid_to")
_DEFAULTS = {
    "value": 1.0, "cost": 0.0, "lever": 1.0, "eligibility": "true", "applicability": None,
    "suitability": None, "consent": None, "daily_capacity": None, "valid_from": None,
    "valid_to": None,
}  # fmt: skip
_NUMBERS = ("value", "cost", "lever", "daily_capacity")


def read_actions(mapping: LogMapping, seen: pd.DataFrame) -> pd.DataFrame:
    """Table `actions`: the treatments seen in a log, and those of the mapping's actions file.

    `seen` has treatment (each once), action_id and channel, as text.
    The file is a CSV (UTF-8, commas) beside the mapping: action_id and channel, and any other
    column of the table; an empty cell, or no column, is the default: value 1 (it multiplies the
    worth of every outcome), cost 0, lever 1, eligibility true, no other rule, no bound.
    Raises DataError with everything that is wrong with the file.
    """
    told = _told(mapping)
    extra = told[~told["treatment"].isin(seen["treatment"])]
    frame = pd.concat([seen, extra[["treatment", "action_id", "channel"]]], ignore_index=True)
    known = told.drop(columns=["action_id", "channel"])
    frame = frame.merge(known, on="treatment", how="left")
    for name, default in _DEFAULTS.items():
        if name not in frame:
            frame[name] = default
        elif default is not None:
            frame[name] = frame[name].where(frame[name].notna(), default)
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["daily_capacity"] = frame["daily_capacity"].astype("Int64")
    for name in _NUMBERS[:3]:
        frame[name] = frame[name].astype(float)
    return frame.sort_values("treatment", ignore_index=True)


def _told(mapping: LogMapping) -> pd.DataFrame:
    if mapping.actions is None:
        return pd.DataFrame({name: pd.Series(dtype=object)
                             for name in ("treatment", "action_id", "channel")})  # fmt: skip
    path = Path(mapping.file).parent / mapping.actions
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{mapping.file}: actions.file {path} can't be read: {error}") from error
    problems = [f"no column {n}" for n in ("action_id", "channel") if n not in found.columns]
    for name in found.columns:
        if name not in ("action_id", "channel", *_DEFAULTS):
            near = difflib.get_close_matches(name, _DEFAULTS, n=1)
            problems.append(f"unknown column {name}" + (f" (is it {near[0]}?)" if near else ""))
    if problems:
        raise DataError(f"{path}: {'; '.join(problems)}; columns are action_id, channel and any of "
                        f"{', '.join(_DEFAULTS)}")  # fmt: skip
    found = found.replace("", np.nan)
    found["treatment"] = (found["action_id"] + ":" + found["channel"]).where(
        found["action_id"] != NONE, NONE
    )  # fmt: skip
    for name in (name for name in (*_NUMBERS, *TIMES) if name in found):
        read = (
            pd.to_datetime(found[name], utc=True, errors="coerce", format="ISO8601")
            if name in TIMES
            else pd.to_numeric(found[name], errors="coerce")
        )
        for at in found.index[read.isna() & found[name].notna()]:
            problems.append(f"{path}:{at + 2}: {name} '{found.at[at, name]}' can't be read")
        found[name] = read
    again = found["treatment"][found["treatment"].duplicated()]
    problems += [f"{path}:{at + 2}: {name} is there twice" for at, name in again.items()]
    problems += [f"{path}:{at + 2}: action_id or channel is empty"
                 for at in found.index[found["treatment"].isna()]]  # fmt: skip
    if problems:
        raise DataError("; ".join(problems))
    return found
