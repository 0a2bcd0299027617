"""Ways to break a candidate or its files, each with the gate that must refuse it."""

from __future__ import annotations

import dataclasses

import numpy as np

from nextbest.errors import DataError
from nextbest.evaluation.release.contest import digest

from .models import (
    Altered,
    Slow,
    in_segment,
    of_candidate,
    of_channels,
    on_responses,
    rolled,
    shifted,
    with_model,
)


def files(**changed):
    """The candidate's files say something else."""
    return lambda contest, learned: dataclasses.replace(
        contest, candidate=dataclasses.replace(contest.candidate, **changed)
    )


def answers(after):
    """The candidate's model answers otherwise."""
    return lambda contest, learned: with_model(contest, after=after)


def constant(contest, learned):
    """One probability per head for everybody and everything."""
    rates = {head: float(learned[head].mean()) for head in ("response", "purchase", "opt_out")}

    def after(head, p, rows, channel):
        return np.where(np.isnan(p), p, rates[head])

    return with_model(contest, after=after)


def leaking_label(contest, learned):
    """The label itself became a feature."""

    def change(p, rows, channel):
        truth = rows["response"].to_numpy()
        return np.maximum(p, 0.5 * (truth if p.ndim == 1 else truth[:, None]))

    return with_model(contest, after=on_responses(change), more_features=("response",))


def leaking_feature(contest, learned):
    """A feature of the table was computed after the response, and the model reads it."""
    rows = contest.rows.assign(usage_level=contest.rows["response"])

    def change(p, rows, channel):
        knows = rows["usage_level"].to_numpy()
        knows = knows if p.ndim == 1 else knows[:, None]
        return np.where(knows > 0, 0.5 + p / 2, p / 10)

    leaky = dataclasses.replace(contest, rows=rows, frozen=digest(rows))
    return with_model(leaky, after=on_responses(change))


def shuffled(contest, learned):
    return with_model(contest, before=rolled)


def spoiled(value):
    """Some predictions are no probabilities."""

    def change(p, rows, channel):
        found = p.copy()
        found[::100] = value
        return found

    return answers(on_responses(change))


def no_candidate(contest, learned):
    return dataclasses.replace(contest, candidate=DataError("models:/a.b.c/2 can't be loaded"))


def no_champion_files(contest, learned):
    return dataclasses.replace(contest, champion=DataError("models:/a.b.c/1 can't be loaded"))


def raises(contest, learned):
    def change(head, p, rows, channel):
        raise IndexError("list index out of range")

    return with_model(contest, after=change)


def no_better(contest, learned):
    """The champion once more, under another number."""
    return dataclasses.replace(
        contest, candidate=dataclasses.replace(contest.champion, version="2")
    )


def slower(contest, learned):
    return of_candidate(contest, Slow(contest.candidate.decider.model))


def everybody(contest, learned):
    """The champion leaves many alone, the candidate nobody."""

    def alone(factor):
        def after(head, p, rows, channel):
            none = (channel == "none") & (head == "purchase")
            return np.minimum(p * np.where(none, factor, 1.0), 0.9)

        return after

    champion = contest.champion.decider
    thrifty = Altered(champion.model, after=alone(3.0))
    champion = dataclasses.replace(champion, model=thrifty)
    champion = dataclasses.replace(contest.champion, decider=champion)
    busy = with_model(contest, after=alone(0.0))
    return dataclasses.replace(busy, champion=champion)


def spoils_rows(contest, learned):
    """Its preprocessing writes into the rows that it was given."""
    whole = contest.rows

    def before(rows):
        whole.loc[whole.index[:10], "usage_level"] = 0.0
        return rows

    return of_candidate(contest, Altered(contest.candidate.decider.model, before=before))


VERSIONS = (
    ("constant", "one probability for everybody, whatever is offered",
     "calibration slope of response, not too low", constant),
    ("label-leak", "the label itself became a feature", "inputs in the feature table",
     leaking_label),
    ("feature-leak", "a feature was computed after the response", "ranking, too good to be true",
     leaking_feature),
    ("shuffled", "every customer gets the features of somebody else",
     "calibration slope of response, not too low", shuffled),
    ("inverted", "logits of responses with the wrong sign",
     "calibration slope of response, not too low", answers(shifted(0.0, -1.0))),
    ("too-high", "three times as many responses foreseen as come",
     "calibration in the large of response, not too low", answers(shifted(1.2))),
    ("too-low", "a third of the responses foreseen that come",
     "calibration in the large of response, not too high", answers(shifted(-1.2))),
    ("too-extreme", "logits of responses twice as far from their rate",
     "calibration slope of response, not too low", answers(shifted(0.0, 2.0))),
    ("too-timid", "logits of responses half as far from their rate",
     "calibration slope of response, not too high", answers(shifted(0.0, 0.5))),
    ("nan", "some predictions are NaN", "probabilities", spoiled(np.nan)),
    ("infinite", "some predictions are infinite", "probabilities", spoiled(np.inf)),
    ("above-1", "some predictions are 1.3", "probabilities", spoiled(1.3)),
    ("raises", "the model's code raises an IndexError", "decisions are scored", raises),
    ("slice", "responses of one segment upside down", "slice segment=loyal",
     answers(in_segment("loyal", lambda p: 0.02 / (1 + 400 * p)))),
    ("unfair", "one segment is thought never to respond", "fairness of contact by segment",
     answers(in_segment("value_seeker", lambda p: p * 1e-4))),
    ("opt-outs", "SMS overrated, which makes customers opt out", "opt-out rate",
     answers(of_channels({"sms": 400.0, "email": 0.01, "push": 0.01}))),
    ("cost", "calls overrated, the dearest channel", "cost per decision",
     answers(of_channels({"call": 40.0}))),
    ("contacts", "nobody is left alone any more", "contact rate", everybody),
    ("no-better", "the champion under another number", "lift over the baseline", no_better),
    ("slow", "50 times as slow to predict", "time, over the champion's", slower),
    ("huge", "files of 2 GB", "size", files(size=2_000_000_000)),
    ("grown", "files 20 times as large as the champion's", "size, over the champion's",
     files(size=12_000_000)),
    ("unknown-size", "files that do not say how large they are", "size", files(size=None)),
    ("nan-metric", "a measurement that is NaN", "size", files(size=float("nan"))),
    ("no-signature", "a model without a signature", "inputs in the feature table",
     files(inputs={})),
    ("lost-output", "an answer that the champion gave is gone", "outputs, as the champion's",
     files(outputs={"p_response": "double"})),
    ("spoils-rows", "its preprocessing writes into the rows", "holdout as frozen", spoils_rows),
    ("no-candidate", "the candidate's files are gone", "candidate can be loaded", no_candidate),
    ("no-champion", "the champion's files are gone", "champion can be loaded", no_champion_files),
)  # fmt: skip
