"""Ways to notice a change: ours and those of named peers, asked day by day, oldest first.

Each is made with the baseline; a day's outcomes are known when it is asked (the day has matured).
An answer is a yes or no under each name that the way goes by in the table.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from detection_streams import AT, CONTROL_SHARE, OUTCOME, SCORE, UNWATCHED

from nextbest.evaluation.concept import judge_concept
from nextbest.monitoring.arrow_tables import table_parts
from nextbest.monitoring.assessment import assess
from nextbest.monitoring.binning import bins_of
from nextbest.monitoring.causes import leaning
from nextbest.monitoring.decision_metrics import foretold_of, metrics_row, quality_of
from nextbest.monitoring.drift import drift_rows
from nextbest.monitoring.folding import Parts
from nextbest.monitoring.guardrails import broken_guardrails
from nextbest.monitoring.verdict import judge_drift

OURS, OURS_DAILY = "ours", "ours, 1 of 1"
OUTCOMES = "ours, by outcomes"  # part of both
EVIDENTLY, EVIDENTLY_ANY = "Evidently, half", "Evidently, any"
ADWIN = "river ADWIN"
THRESHOLD, CONFIDENCE = 0.2, 0.95
WINDOWS, OF = 3, 4
OUTCOME_DAYS = 7  # as in lifecycle/assessing.py, which needs an engine
CHOSEN = ("action_id", "channel")  # of a decision; all other columns are features
EPOCH = dt.datetime(1970, 1, 1)


class Way(Protocol):
    """Something that is asked once a day."""

    def __init__(self, baseline: pd.DataFrame) -> None: ...

    def ask(self, day: pd.DataFrame) -> Mapping[str, bool]:
        """Whether it has drifted, as of this day."""
        ...


class Ours:
    """What notebooks 06 and 07 do: profiles, drift_metrics, decision_metrics, and an assessment.

    Also without waiting: columns judged on each day alone.
    """

    def __init__(self, baseline: pd.DataFrame) -> None:
        self._columns = _watched(baseline)
        self._base = self._parts(baseline, None)
        features = [name for name in self._columns if name not in (SCORE, *CHOSEN)]
        bins = bins_of(baseline, leaning(baseline, features, SCORE))
        self._apart = {each.feature: each for each in bins}
        self._drift: deque[pd.DataFrame] = deque(maxlen=OF)
        self._measured: deque[dict[str, Any]] = deque(maxlen=OUTCOME_DAYS)

    def ask(self, day: pd.DataFrame) -> Mapping[str, bool]:
        """See Way."""
        rows = pd.DataFrame(list(drift_rows(self._parts(day, "1 day"), self._base, "1 day")))
        ends = zip(rows["start"], rows["end"], strict=True)
        rows["window"] = [{"start": _instant(start), "end": _instant(end)} for start, end in ends]
        self._drift.append(rows)
        self._measured.append(metrics_row(_decisions(day), CONTROL_SHARE, CONFIDENCE, self._apart))
        concept = judge_concept([foretold_of(row) for row in self._measured])
        recent = quality_of(self._measured)
        broken = broken_guardrails(quality_of([self._measured[-1]]), recent, CONTROL_SHARE)
        leans = dict.fromkeys(self._columns, 0.0)  # which are for causes, not for the verdict
        answers = {}
        for name, (needed, of) in {OURS: (WINDOWS, OF), OURS_DAILY: (1, 1)}.items():
            drift = judge_drift(
                pd.concat(self._drift), self._columns, THRESHOLD, windows=needed, of=of
            )  # fmt: skip
            answers[name] = assess(drift, rows, leans, concept, broken, 0).verdict.drifted
        return answers | {OUTCOMES: bool(concept.moved)}

    def _parts(self, frame: pd.DataFrame, granularity: str | None) -> Parts:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        return table_parts(table, columns=self._columns, timestamp=AT, granularity=granularity)


def _decisions(day: pd.DataFrame) -> pd.DataFrame:
    """A matured day as decision_metrics is made of it; made-up ones are all of one treatment."""
    named = day if "action_id" in day else day.assign(action_id="offer", channel="email")
    return named.assign(
        matured=True, came=day[OUTCOME], treatment=named["action_id"] + "|" + named["channel"]
    )


class Evidently:
    """DataDriftPreset with its defaults over features, score and outcome; without its plots.

    Its verdict on the data set is that half of the columns drifted; the other one is that any did.
    Both are told by DriftedColumnsCount, the preset's first metric.
    """

    def __init__(self, baseline: pd.DataFrame) -> None:
        from evidently import DataDefinition, Dataset

        numbers, texts = _kinds(baseline)
        self._definition = DataDefinition(
            numerical_columns=[*numbers, SCORE], categorical_columns=[*texts, OUTCOME]
        )
        columns = [*numbers, *texts, SCORE, OUTCOME]
        self._made = lambda frame: Dataset.from_pandas(
            frame[columns], data_definition=self._definition
        )
        self._base = self._made(baseline)

    def ask(self, day: pd.DataFrame) -> Mapping[str, bool]:
        """See Way."""
        from evidently import Report
        from evidently.metrics import DriftedColumnsCount

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = Report([DriftedColumnsCount()]).run(self._made(day), self._base)
        found = done.dict()["metrics"][0]["value"]
        return {EVIDENTLY: found["share"] >= 0.5, EVIDENTLY_ANY: found["count"] > 0}


class River:
    """ADWIN (Bifet and Gavaldà 2007) on each column and on the model's log loss, row by row.

    With river's own confidence. Categories are their place in the alphabet, what is missing a
    column of its own. It has no baseline: it is told of the baseline's rows first.
    """

    def __init__(self, baseline: pd.DataFrame) -> None:
        from river.drift import ADWIN as Detector

        self._numbers, texts = _kinds(baseline)
        self._places = {name: sorted(baseline[name].unique()) for name in texts}
        columns = self._columns(baseline)
        self._detectors = [Detector() for _ in columns]
        self._spoke(columns)

    def ask(self, day: pd.DataFrame) -> Mapping[str, bool]:
        """See Way."""
        return {ADWIN: self._spoke(self._columns(day))}

    def _spoke(self, columns: list[np.ndarray]) -> bool:
        spoke = False
        for detector, column in zip(self._detectors, columns, strict=True):
            for value in column.tolist():
                detector.update(value)
                spoke |= detector.drift_detected
        return spoke

    def _columns(self, day: pd.DataFrame) -> list[np.ndarray]:
        found = [day[name].fillna(0.0).to_numpy() for name in (*self._numbers, SCORE)]
        found += [day[name].isna().to_numpy(dtype=float) for name in self._numbers]
        found += [
            pd.Categorical(day[name], places).codes.astype(float)
            for name, places in self._places.items()
        ]
        asked = day[day[SCORE] > 0]
        p, y = asked[SCORE].to_numpy(), asked[OUTCOME].to_numpy()
        return [*found, -np.log(np.where(y == 1, p, 1 - p))]


WAYS: dict[str, type[Way]] = {"ours": Ours, "evidently": Evidently, "river": River}


def _instant(micros: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=int(micros))


def _watched(frame: pd.DataFrame) -> list[str]:
    numbers, texts = _kinds(frame)
    return [*numbers, *texts, SCORE]


def _kinds(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The features that are numbers, and those that are texts."""
    names = [name for name in frame.columns if name not in (SCORE, *UNWATCHED)]
    texts = [name for name in names if frame[name].dtype == object]
    return [name for name in names if name not in texts], texts
