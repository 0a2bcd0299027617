"""The request path: a few customers, the same decisions as batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nextbest.decisions.decide import Decider, decide, decision_ids
from nextbest.decisions.eligibility import decision_time
from nextbest.decisions.reasons import WIDER
from nextbest.errors import DataError


def answer(
    records: Sequence[Mapping[str, Any]],
    decider: Decider,
    *,
    as_of: dt.date,
    seed: int,
    use_case: str,
    model_version: str,
) -> list[dict[str, Any]]:
    """Decide for each record (customer_id, eligible as a list of treatments, the features).

    A policy with an eligibility_share needs `allowed`, too: the treatments that eligibility alone
    allows; `context`, weights in the order of the treatments, must be in all records or in none.
    One dict per record, in order, with the same keys and values as the row that
    inference.batch.recommend gives for that customer and day without limits (which tie a day's
    customers together: no request knows the others), without the features. Raises
    DataError naming the records (by position) that lack a field.
    """
    if not records:
        return []
    needed = ["customer_id", "eligible", *decider.model.features]
    needed += ["allowed"] if decider.policy.eligibility_share else []
    needed += ["context"] if any("context" in record for record in records) else []
    problems = [
        f"record {at} lacks {', '.join(missing)}"
        for at, record in enumerate(records)
        if (missing := [name for name in needed if name not in record])
    ]
    many = len(decider.treatments)
    problems += [
        f"record {at} has {len(record['context'])} weights in context, not one for each of {many}"
        for at, record in enumerate(records)
        if "context" in record and len(record["context"]) != many
    ]
    if problems:
        raise DataError("; ".join(problems[:10]))
    rows = pd.DataFrame([dict(record) for record in records])
    ids = decision_ids(rows["customer_id"].to_numpy(), use_case, as_of.isoformat())
    mask = decider.treatments.mask
    decided = decide(
        rows,
        mask(rows["eligible"]),
        ids,
        decider,
        seed,
        allowed=mask(rows["allowed"]) if "allowed" in needed else None,
        context=np.array(rows["context"].tolist(), dtype=float) if "context" in needed else None,
    )
    constants = {
        "decided_at": decision_time(as_of),
        "policy": decider.policy.name,
        "policy_version": decider.policy.version,
        "seed": seed,
        "limits": "",
        "as_of": as_of,
        "model_version": model_version,
    }
    return [
        {
            "decision_id": decision_id,
            "customer_id": record["customer_id"],
            "eligible": list(record["allowed" if decision["reason_code"] == WIDER else "eligible"]),
            **decision,
            **constants,
        }
        for decision_id, record, decision in zip(
            ids, records, decided.to_dict("records"), strict=True
        )
    ]
