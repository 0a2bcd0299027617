"""Notebook 03: a candidate learns from what happened."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

import mlflow
import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from nextbest import __version__, registry, tables, use_cases
from nextbest.decisions.decide import Decider, decide
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.lifecycle import frames
from nextbest.lifecycle.outcome import Outcome
from nextbest.platforms import NewModel, Platform, open_platform
from nextbest.settings import Settings
from nextbest.training import packaging, splits
from nextbest.training.policy import Choice, learn
from nextbest.use_cases import UseCase

BASELINE_SHARE = 0.4  # of the decisions: their last days
BASELINE_ROWS = 40_000  # noise of the stability index is then far below any threshold


def train_model(settings: Settings, spark: SparkSession) -> Outcome:
    """03: models learn from matured decisions; that worth most is registered as the candidate."""
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    frame = frames.learning_frame(settings, platform, case)
    held_out = splits.held_out(frame["customer_id"], settings.holdout_share)
    rows = frame[~held_out]
    policy = Policy(
        case.name,
        "new",
        epsilon=settings.exploration,
        temperature=settings.temperature,
        draws=settings.thompson_draws,
        control_share=settings.control_share,
        floor=settings.exploration_floor,
        eligibility_share=settings.eligibility_share,
    )
    key = registry.training_key(__version__, settings.seed, policy, len(rows), _digest(frame))
    version = registry.version_trained_on(settings.model, key)
    told = "trained before on the same rows"
    shown = {"Decisions it learned from and will be judged on": _parts(frame, held_out)}
    if version is None:
        steps: list[str] = []
        # What this log never knows (no history, no days since a visit) can't be learned from.
        features = [f for f in frames.feature_names(settings, spark) if rows[f].notna().any()]
        treatments = Treatments.from_frame(frames.actions_frame(settings, spark))
        started = time.monotonic()
        choice = learn(rows, case.heads, features, treatments, policy, settings.seed, steps.append)
        told = "; ".join([*steps, choice.text])
        found = [{**vars(each), "name": name} for name, each in choice.values.items()]
        columns = ["name", "value", "low", "high", "n"]
        shown["Learners by value per decision on later days"] = pd.DataFrame(found)[columns]
        tags = {
            registry.TRAINING_KEY: key,
            "as_of": settings.as_of.isoformat(),
            registry.HOLDOUT_SHARE: str(settings.holdout_share),
        }
        decider = Decider(choice.model, treatments, choice.arbitration, policy)
        right = f"CAN EDIT on the experiment, and CREATE MODEL VERSION on {settings.model}"
        with registry.asking(f"training run in {settings.experiment}", right):
            mlflow.set_experiment(settings.experiment)
            with mlflow.start_run(run_name=f"training {settings.as_of}"):
                mlflow.log_params(dataclasses.asdict(settings))
                version = _log(settings, platform, case, decider, rows.head(5), tags)
                mlflow.log_metrics(
                    {**_measures(choice), "rows_learned": len(rows),
                     "rows_held_out": int(held_out.sum()),
                     "training_seconds": time.monotonic() - started}
                )  # fmt: skip
    registry.name_candidate(settings.model, version)
    late = splits.last_days(frame["decided_at"], BASELINE_SHARE)
    _write_baseline(settings, spark, frame[held_out & late], version)
    return Outcome(
        f"{settings.model} version {version} is the candidate: {len(rows):,} decisions learned "
        f"from, {int(held_out.sum()):,} held out ({told})",
        shown,
        {"version": version},
    )


def _measures(choice: Choice) -> dict[str, float]:
    """The chosen learner's value per decision on later days, and every learner's own."""
    best = choice.values[choice.name]
    found = {
        "search_value": best.value,
        "search_value_low": best.low,
        "search_value_high": best.high,
    }
    return found | {f"search_value_of_{name}": each.value for name, each in choice.values.items()}


def _log(
    settings: Settings,
    platform: Platform,
    case: UseCase,
    decider: Decider,
    example: pd.DataFrame,
    tags: Mapping[str, str],
) -> str:
    """Log a decider with the spec of its features, and register it; the version's number."""
    spec = frames.training_spec(settings, platform, case)
    known = {*decider.model.features, "action_id", "channel", *spec.labels}
    spec = dataclasses.replace(spec, exclude=[name for name in example if name not in known])
    with packaging.packaged(decider, example) as parts:
        new = NewModel(
            parts.model, settings.model, mlflow.pyfunc, parts.requirements,
            output_schema=parts.outputs, tags=tags, save=parts.save,
        )  # fmt: skip
        return platform.features.log_model(new, spec)


def _parts(frame: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    """How many decisions, about how many customers, of which days: a row for either part."""
    parts = frame.groupby(np.where(held_out, "held out", "learned from"))
    counts = parts.agg(
        decisions=("customer_id", "size"),
        customers=("customer_id", "nunique"),
        first_day=("decided_at", lambda times: times.min().date()),
        last_day=("decided_at", lambda times: times.max().date()),
        mean_value=("value", "mean"),
    )
    return counts.rename_axis("part").reset_index()


def _digest(frame: pd.DataFrame) -> int:
    """A number that changes with any row a model could learn from or be judged on."""
    hashes = pd.util.hash_pandas_object(frame.drop(columns="eligible"), index=False)
    return int(np.bitwise_xor.reduce(hashes.to_numpy()))


def _write_baseline(
    settings: Settings, spark: SparkSession, held_out: pd.DataFrame, version: str
) -> None:
    """What the version's features and scores look like for customers it never learned from.

    On the last days of the log: the first ones have features whose windows reach back before it
    began, which would pass for drift.
    """
    candidate = frames.decider(settings, spark, version)
    count = min(len(held_out), BASELINE_ROWS)
    rows = held_out.sample(count, random_state=settings.seed).sort_index()
    rows = rows.reset_index(drop=True)
    eligible = candidate.treatments.mask(rows["eligible"])
    # Logged sets are all that is known of those days: nobody is given a wider one here.
    policy = dataclasses.replace(candidate.policy, eligibility_share=0.0)
    decided = decide(
        rows,
        eligible,
        rows["decision_id"].to_numpy(),
        dataclasses.replace(candidate, policy=policy),
        settings.seed,
    )
    features = rows[frames.feature_names(settings, spark)]
    baseline = pd.concat([rows[["decision_id", "decided_at"]], decided, features], axis=1)
    baseline.insert(1, "model_version", version)
    table = settings.table("training_baseline")
    tables.merge(spark.createDataFrame(baseline), table, ["model_version", "decision_id"])
