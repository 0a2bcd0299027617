"""The learners under comparison: each turns a Case into scores [n, K] of its held-out customers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from learning_world import FEATURES, HEADS, Case

from nextbest.decisions.arbitration import Arbitration, arbitrate
from nextbest.decisions.heads import Scorer
from nextbest.decisions.policy import Policy
from nextbest.training import reward_model
from nextbest.training.encoding import fit_encoder
from nextbest.training.incremental import MONEY
from nextbest.training.incremental import fit as fit_incremental
from nextbest.training.policy import learn

SEED = 1
ECONML_MOST = 200_000  # rows; n × 29 pseudo-outcomes and their forest: memory and minutes
UNIT = 30.0  # about a monthly margin: rewards of the peers are in this unit


def ours(case: Case) -> np.ndarray:
    """What notebook 03 trains: the search by off-policy value over head models."""
    policy = Policy("ours", "1", epsilon=0.1)
    choice = learn(
        case.log, HEADS, FEATURES, case.treatments, policy, SEED, on_progress=lambda text: None
    )
    return _score(case, choice.model, choice.arbitration)


def incremental(case: Case, kind: str) -> np.ndarray:
    """Our learners of money without heads."""
    model = fit_incremental(case.log, case.treatments, FEATURES, kind)
    return _score(case, model, Arbitration((MONEY,)))


def propensity(case: Case) -> np.ndarray:
    """The same model, ranked by the probability of a response alone."""
    model = reward_model.fit(case.log, HEADS, FEATURES, SEED, lambda text: None)
    alone = Arbitration(HEADS[:1], value=False, lever=False, cost=False)
    return _score(case, model, alone)


def vw(case: Case) -> np.ndarray:
    """Vowpal Wabbit: contextual bandit with action features, doubly robust, one pass."""
    from vowpalwabbit import Workspace

    # Of the learning rates .5 (the default), .05 and .005, the second did best at 50k, seed 104.
    x, new = _designs(case)
    chance, cost = case.log["propensity"].to_numpy(), -case.log["value"].to_numpy() / UNIT
    labels = [f"0:{c:.5g}:{p:.5g} " for c, p in zip(cost, chance, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        train, test, model, told = (str(Path(folder) / n) for n in ("train", "test", "vw", "p"))
        _write_vw(train, x, case.open, case, (case.logged, labels))
        _write_vw(test, new, case.eligible, case, None)
        flags = "--cb_adf --cb_type dr -q ca -q co -b 18 -l 0.05 --quiet"
        Workspace(f"{flags} -d {train} -f {model}").finish()
        Workspace(f"-t -i {model} -d {test} -p {told} --quiet").finish()
        best = np.array(Path(told).read_text(encoding="utf-8").split(), dtype=int)
    # VW names the best of the actions that it was shown, counted from 0.
    return (case.eligible.cumsum(axis=1) - 1 == best[:, None]) & case.eligible


def _write_vw(path: str, x: np.ndarray, open_: np.ndarray, case: Case, told: tuple | None) -> None:
    names = zip(case.treatments.action_id, case.treatments.channel, strict=True)
    lines = [f"|a {a} |o {c} |v {a}_{c}" for a, c in names]
    sets, which = np.unique(open_, axis=0, return_inverse=True)
    members = [np.flatnonzero(allowed).tolist() for allowed in sets]
    row = "shared |c " + " ".join(f"{k}:%.4g" for k in range(x.shape[1])) + "\n"
    with open(path, "w", encoding="utf-8") as file:
        for n, (numbers, at) in enumerate(zip(x, which.ravel().tolist(), strict=True)):
            file.write(row % tuple(numbers))
            for k in members[at]:
                if told is not None and told[0][n] == k:
                    file.write(told[1][n])
                file.write(lines[k] + "\n")
            file.write("\n")


def econml(case: Case) -> np.ndarray:
    """econml's DRLearner of every treatment against "none", given the logged propensities."""
    from econml.dr import LinearDRLearner
    from learning_econml import KnownPropensity, OutcomeModel

    x, new = _designs(case)
    kept = slice(max(0, len(x) - ECONML_MOST), None)
    none = case.treatments.names.index("none")
    # "none" first, for econml takes the least as the control.
    order = np.argsort(np.arange(len(case.treatments)) != none, kind="stable")
    code = np.argsort(order)[case.logged][kept]
    learner = LinearDRLearner(
        model_regression=OutcomeModel(x.shape[1]),
        model_propensity=KnownPropensity(len(order)),
        min_propensity=1e-4,
        random_state=SEED,
    )
    known = np.column_stack([code, case.log["propensity"].to_numpy()[kept]])
    learner.fit(case.log["value"].to_numpy()[kept] / UNIT, code, X=x[kept], W=known)
    scores = np.zeros((len(new), len(order)))
    scores[:, order[1:]] = learner.const_marginal_effect(new)
    return scores


def linucb(case: Case) -> np.ndarray:
    """mabwiser's LinUCB, one ridge regression per treatment, replayed on the log."""
    from mabwiser.mab import MAB, LearningPolicy

    x, new = _designs(case)
    arms = list(range(len(case.treatments)))
    bandit = MAB(arms, LearningPolicy.LinUCB(alpha=0.1, l2_lambda=1.0), seed=SEED)
    bandit.fit(case.logged.tolist(), (case.log["value"] / UNIT).tolist(), x)
    told = bandit.predict_expectations(new)
    return np.array([[row[arm] for arm in arms] for row in told])


LEARNERS: Mapping[str, Callable[[Case], np.ndarray]] = {
    "ours": ours,
    "propensity": propensity,
    "vw": vw,
    "econml": econml,
    "linucb": linucb,
    "t_learner": lambda case: incremental(case, "t"),
    "x_learner": lambda case: incremental(case, "x"),
    "dr_learner": lambda case: incremental(case, "dr"),
}
OUR_OWN = ("t_learner", "x_learner", "dr_learner")  # told, not beaten: no peers


def _score(case: Case, model: Scorer, arbitration: Arbitration) -> np.ndarray:
    p = model.predict_matrix(case.customers, case.treatments, case.eligible)
    return arbitrate(p, case.customers, case.treatments, arbitration).score


def _designs(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Log and held-out customers as our linear part sees them: a one, standardised, indicators."""
    encoder = fit_encoder(case.log, FEATURES)
    x, new = (encoder.design(encoder.matrix(rows)) for rows in (case.log, case.customers))
    return x, new
