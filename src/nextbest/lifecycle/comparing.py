"""`dbb compare-models`: two versions on the same decisions that neither has learned from."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from nextbest import use_cases
from nextbest.decisions.decide import Decider
from nextbest.evaluation.comparison.agreement import Agreement, agreement, by_segment, instead_of
from nextbest.evaluation.comparison.correction import holm
from nextbest.evaluation.comparison.curves import calibration_curve
from nextbest.evaluation.comparison.judged import (
    Failed,
    Judged,
    Slice,
    compare_all,
    compare_slices,
    segments_of,
)
from nextbest.evaluation.comparison.measures import SLICED, Compared, corrected
from nextbest.evaluation.comparison.planning import Plan, plan
from nextbest.evaluation.comparison.recommendation import GATHER, Recommendation, recommend
from nextbest.evaluation.comparison.scoring import FIRST, SECOND, log_of, score_both
from nextbest.evaluation.ope.diagnostics import diagnose, evidence
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.recency import world_moved
from nextbest.evaluation.release.calibrating import other_story
from nextbest.lifecycle import frames
from nextbest.lifecycle.compared_rows import HOLDOUT, Dataset, newest, read_datasets
from nextbest.lifecycle.holdout import digest
from nextbest.platforms import open_platform
from nextbest.registry.named import Named
from nextbest.settings import Settings

EXTREMES = 10


@dataclass(frozen=True)
class Asked:
    """What to compare by, and on which decisions; as_of None: the later training's day."""

    metrics: tuple[str, ...]
    datasets: tuple[str, ...] = (HOLDOUT,)
    confidence: float = 0.95
    as_of: dt.date | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """What one set of decisions says.

    failed, thin: measures and slices that can't be told; exchanges, segments, extremes: where both
    part (`agreement`), the latter single decisions; curves: by outcome, (first, second).
    """

    name: str
    note: str
    decisions: int
    customers: int
    days: tuple[dt.date, dt.date]
    digest: str
    compared: tuple[Compared, ...]
    failed: tuple[Failed, ...]
    slices: tuple[Slice, ...]
    thin: tuple[Failed, ...]
    plan: Plan | None
    agreement: Agreement
    exchanges: pd.DataFrame
    segments: pd.DataFrame
    extremes: pd.DataFrame
    curves: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]
    doubts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two versions, what every set of decisions says of them, and what follows."""

    first: Named
    second: Named
    as_of: dt.date
    confidence: float
    parts: tuple[Part, ...]
    recommendation: Recommendation


def compare_models(
    settings: Settings,
    spark: SparkSession,
    first: Named,
    second: Named,
    asked: Asked,
    seen: Callable[[int], None] = lambda count: None,
) -> Comparison:
    """Ask both versions about the same decisions and tell the differences, second less first.

    Nothing is written. seen: called with how many decisions were scored. Raises UsageError for
    versions of other inputs or outputs, column by column, and as `read_datasets`; DataError when a
    version can't be loaded.
    """
    as_of = asked.as_of or max(first.as_of, second.as_of)
    settings = dataclasses.replace(settings, as_of=as_of)
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    deciders = [
        frames.decider(settings, spark, each.version, each.model) for each in (first, second)
    ]
    share = min(first.holdout_share, second.holdout_share)
    trained = max(first.as_of, second.as_of)
    sets = read_datasets(settings, platform, case, asked.datasets, deciders, share, trained)
    return compare_on(sets, settings, (first, second), deciders, asked, seen)


def compare_on(
    sets: Sequence[Dataset],
    settings: Settings,
    versions: tuple[Named, Named],
    deciders: Sequence[Decider],
    asked: Asked,
    seen: Callable[[int], None] = lambda count: None,
) -> Comparison:
    """Compare two deciders on decisions that are read already; settings.as_of is told as it is."""
    parts = _corrected([_part(settings, each, deciders, asked, seen) for each in sets])
    advice = _recommended(parts, asked)
    return Comparison(*versions, settings.as_of, asked.confidence, tuple(parts), advice)


def _part(
    settings: Settings,
    dataset: Dataset,
    deciders: Sequence[Decider],
    asked: Asked,
    seen: Callable[[int], None],
) -> Part:
    first, second = deciders
    rows, confidence = dataset.rows, asked.confidence
    scored = score_both(rows, first, second, seen)
    features = dict.fromkeys([*first.model.features, *second.model.features])
    heads = second.arbitration.heads
    judged = Judged(rows, scored, heads, segments_of(rows, [f for f in features if f in rows]))
    compared, failed = compare_all(judged, asked.metrics, confidence, seed=settings.seed)
    sliced = [metric for metric in asked.metrics if metric in SLICED]
    slices, thin = compare_slices(judged, sliced, confidence)
    value = next((each for each in compared if each.metric == "value"), None)
    differ = (scored["prefers_first"] != scored["prefers_second"]).to_numpy()
    days = judged.days
    return Part(
        name=dataset.name,
        note=dataset.note,
        decisions=len(rows),
        customers=int(rows["customer_id"].nunique()),
        days=(days.min().item(), days.max().item()),
        digest=digest(rows),
        compared=tuple(compared),
        failed=tuple(failed),
        slices=tuple(slices),
        thin=tuple(thin),
        plan=None if value is None else plan(value, rows["value"].to_numpy(float), confidence),
        agreement=agreement(scored["prefers_first"], scored["prefers_second"], scored["apart"]),
        exchanges=instead_of(scored["prefers_first"], scored["prefers_second"]),
        segments=by_segment(scored["apart"], differ, rows[list(judged.segments)]),
        extremes=_extremes(rows, scored),
        curves=_curves(judged, confidence),
        doubts=tuple(_doubts(settings, dataset, judged)) if value is not None else (),
    )


def _extremes(rows: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """The decisions that both would most likely make differently, the costliest first among equals.

    Columns: decision_id, customer_id, prefers_first, prefers_second, apart, gain: what the
    second's own model expects of its policy over the first's.
    """
    known = [name for name in ("decision_id", "customer_id") if name in rows.columns]
    told = pd.concat([rows[known], scored[["prefers_first", "prefers_second", "apart"]]], axis=1)
    told["gain"] = scored["q_second"] - scored["q_first"]
    told = told.assign(size=told["gain"].abs(), near=told["apart"].round(6))
    order = told.sort_values(["near", "size", "customer_id"], ascending=[False, False, True])
    return order.drop(columns=["size", "near"]).head(EXTREMES).reset_index(drop=True)


def _curves(judged: Judged, confidence: float) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    found = {}
    for head in judged.heads:
        y, first, second, _ = judged.outcome(head)
        if len(y):
            found[head.name] = (
                calibration_curve(y, first, confidence), calibration_curve(y, second, confidence)
            )  # fmt: skip
    return found


def _doubts(settings: Settings, dataset: Dataset, judged: Judged) -> list[str]:
    """Why the values may not count: too thin or unsound a sample, or a world that has moved."""
    log = log_of(judged.rows, judged.scored)
    moments = fold(log, ())
    doubts = []
    for name in (FIRST, SECOND):
        reasons = evidence(diagnose(moments, name), settings.min_ess)
        doubts += [f"{name} version, {reason}" for reason in reasons]
    if dataset.name == HOLDOUT:
        part = newest(judged.rows).to_numpy()
        if not part.all():
            recent, older = (fold(log.take(np.flatnonzero(each)), ()) for each in (part, ~part))
            told, _ = other_story(judged.rows, judged.heads[0], _predicted_by_first(judged))
            if moved := told or world_moved(recent, older, SECOND, FIRST):
                doubts.append(f"{moved}: compare again with --datasets newest")
    return doubts


def _predicted_by_first(judged: Judged) -> pd.DataFrame:
    return judged.scored.rename(columns=lambda name: name.replace("p_first.", "p_", 1))


def _corrected(parts: Sequence[Part]) -> list[Part]:
    """The first measure of every part answers for itself, all others together (Holm).

    So the question that was asked loses no power to those asked by the way (ICH E9, 1998: primary
    and secondary variables).
    """
    leading = [part.compared[0].name for part in parts if part.compared]
    lead = leading[0] if leading else ""
    groups: tuple[list, list] = ([], [])
    for at, part in enumerate(parts):
        for place, each in enumerate(part.compared):
            groups[each.name != lead].append((at, place, each))
    found = {}
    for group in groups:
        p = holm([each.test.p_value for _, _, each in group])
        for (at, place, _), each in zip(
            group, corrected([each for _, _, each in group], p), strict=True
        ):
            found[at, place] = each
    return [
        dataclasses.replace(
            part, compared=tuple(found[at, place] for place in range(len(part.compared)))
        )
        for at, part in enumerate(parts)
    ]


def _recommended(parts: Sequence[Part], asked: Asked) -> Recommendation:
    """By the first set of decisions; the others may object, and so does what can't be told."""
    main, *others = parts
    leading = asked.metrics[0]
    if untold := [each for each in main.failed if each.name.split(" (")[0] == leading]:
        reasons = tuple(f"not told: {each.name}: {each.reason}" for each in untold)
        return Recommendation(GATHER, reasons)
    objections = [
        f"on {part.name} it is worse ({each.name} {each.difference.value:+.4g})"
        for part in others
        for each in part.compared[:1]
        if each.different(asked.confidence) and each.gain < 0
    ]
    return recommend(
        main.compared, main.slices, main.plan, main.agreement, [*main.doubts, *objections],
        asked.confidence,
    )  # fmt: skip
