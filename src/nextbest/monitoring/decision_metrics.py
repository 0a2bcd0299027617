"""A day's decisions and what came of them: a row of the table `decision_metrics`, and its sums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from nextbest.decisions.treatments import NONE
from nextbest.evaluation.foretold import SUMS, Foretold, foretold
from nextbest.evaluation.tilt import tilt_sums
from nextbest.monitoring import quality
from nextbest.monitoring.binning import Bins, binned, scored
from nextbest.monitoring.decision_quality import (
    Arm,
    DecisionQuality,
    arm_of,
    decisions_of,
    lift,
    mean_interval,
    measured,
    merged,
)

TREATMENT = "treatment"  # what came is counted by it; by features, too
KEY = ("model", "model_version", "day")
_TOLD = (
    *("roc_auc_score", "log_loss", "brier_score", "calibration_error", "predicted_rate"),
    *("observed_rate", "value", "value_low", "value_high"),
    *("value_of_control", "value_of_control_low", "value_of_control_high"),
    *("lift", "lift_low", "lift_high"),
    *("action_entropy", "largest_action_share", "effective_sample_share", "thin_share"),
    *("sample_ratio_pvalue", "contact_rate", "opt_out_rate", "opt_out_over_control"),
)
COLUMNS = {
    "model": "string", "model_version": "string", "day": "date", "counted": "string",
    **dict.fromkeys(("decisions", "matured", "controls", "contacts"), "bigint"),
    **dict.fromkeys((*_TOLD, *(f"foretold_{name}" for name in SUMS)), "double"),
    "action_shares": "map<string, double>", "foretold_actions": "string", "sums": "string",
    "foretold_features": "string", "foretold_tilts": "string",
}  # fmt: skip
SCHEMA = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())


def metrics_row(
    rows: pd.DataFrame,
    control_share: float,
    confidence: float,
    apart: Mapping[str, Bins] | None = None,
) -> dict[str, Any]:
    """The metrics of some decisions, by the names of COLUMNS, but for the key and `counted`.

    rows: treatment, action_id, propensity, control_group (bool), p_response, matured (bool), and of
    matured ones value (money), came (0 or 1, of what p_response foretells) and opted_out (0 or 1).
    apart: columns of `rows` with features → bins: by action and bin, too, is counted what came.
    Quality and concept are of matured decisions with a probability in (0, 1), so not of "none",
    under which nobody can respond. `sums` holds what windows are added up from (`quality_of`).
    Null is what has nothing to divide by.
    """
    control = rows["control_group"].to_numpy(dtype=bool)
    sides = [_arm(rows[~control]), _arm(rows[control])]
    treated = rows[~control]
    found = decisions_of(*sides, treated["treatment"].tolist(), treated["propensity"].to_numpy())
    p = rows["p_response"].to_numpy(dtype=float, na_value=np.nan)
    asked = rows["matured"].to_numpy(dtype=bool) & (p > 0) & (p < 1)
    came = rows["came"].to_numpy(dtype=float, na_value=np.nan)[asked]
    told = quality.measured(quality.probabilities_of(p[asked], came == 1))
    guards = measured(found, control_share)
    if not any(side.matured for side in sides):  # that nobody has opted out yet says nothing
        guards |= dict.fromkeys(("opt_out_rate", "opt_out_over_control"))
    mixes = {TREATMENT: rows["treatment"].to_numpy()[asked]}
    for column, bins in (apart or {}).items():
        mixes[bins.feature] = _crossed(rows["action_id"][asked], binned(rows[column][asked], bins))
    sums = foretold(came, p[asked], mixes)
    tilts = tilt_sums(came, p[asked], rows["action_id"][asked], scored(rows[asked], apart or {}))
    by_treatment, *by_features = sums.mixes.items()
    gain = lift(found, confidence)
    chosen = sum(found.actions.values())
    return {
        "decisions": len(rows),
        "matured": sum(side.matured for side in sides),
        "controls": int(control.sum()),
        "contacts": sum(side.contacts for side in sides),
        **told,
        **guards,
        **_value("value", sides[0], confidence),
        **_value("value_of_control", sides[1], confidence),
        **dict(zip(("lift", "lift_low", "lift_high"), gain or (None,) * 3, strict=True)),
        **{f"foretold_{name}": getattr(sums, name) for name in SUMS},
        "foretold_actions": json.dumps(by_treatment[1], sort_keys=True),
        "foretold_features": json.dumps(dict(by_features), sort_keys=True),
        "foretold_tilts": json.dumps(tilts, sort_keys=True),
        "action_shares": {name: count / chosen for name, count in found.actions.items()},
        "sums": json.dumps(asdict(found), sort_keys=True),
    }


def foretold_of(row: Mapping[str, Any]) -> Foretold:
    """The sums that the concept is judged by, of a row of decision_metrics.

    A row from before features were looked at has null there.
    """
    told = {TREATMENT: json.loads(row["foretold_actions"])}
    told |= json.loads(row.get("foretold_features") or "{}")
    mixes, tilts = (
        {name: {cell: tuple(sums) for cell, sums in cells.items()} for name, cells in of.items()}
        for of in (told, json.loads(row.get("foretold_tilts") or "{}"))
    )
    numbers = {name: float(row[f"foretold_{name}"]) for name in SUMS}
    return Foretold(**numbers, mixes=mixes, tilts=tilts)


def quality_of(rows: Sequence[Mapping[str, Any]]) -> DecisionQuality:
    """What the decisions of several rows did together."""
    parts = [json.loads(row["sums"]) for row in rows]
    return merged(
        [
            DecisionQuality(
                **{**part, "treated": Arm(**part["treated"]), "control": Arm(**part["control"])}
            )
            for part in parts
        ]
    )


def _crossed(actions: pd.Series, bins: pd.Categorical) -> pd.Categorical:
    """Cells of action and bin; codes, since a day may have millions of rows."""
    at, names = pd.factorize(actions)
    cells = [f"{name} where {each}" for name in names for each in bins.categories]
    return pd.Categorical.from_codes(at * len(bins.categories) + bins.codes, cells)


def _value(name: str, side: Arm, confidence: float) -> dict[str, float | None]:
    low, high = mean_interval(side, confidence) or (None, None)
    return {name: side.mean if side.matured else None, f"{name}_low": low, f"{name}_high": high}


def _arm(rows: pd.DataFrame) -> Arm:
    matured = rows["matured"].to_numpy(dtype=bool)
    values = rows["value"].to_numpy(dtype=float, na_value=np.nan)
    return arm_of(
        values, matured, (rows["action_id"] != NONE).to_numpy(),
        matured & (rows["opted_out"].to_numpy(dtype=float, na_value=0.0) == 1),
    )  # fmt: skip
