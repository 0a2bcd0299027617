"""The chance of the logged choice: the column that holds it, if one can; else, was it random."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nextbest.data.own_log.columns import Facts
from nextbest.data.own_log.names import word
from nextbest.data.own_log.proposal import Proposal
from nextbest.decisions.rule_parts import sql_text
from nextbest.tables import sql_name

LEVELS = 20
ALPHA = 0.001  # of the smallest p-value, times the columns looked at
MOST_ARMS = 50
ROWS_OF_A_SET = 200  # at least, on average, to count shares within eligible sets
_PERCENT = re.compile(r"pct|percent|prozent|porcentaje|por_ciento|pourcent")
_INVERSE = re.compile(r"(^|_)(ipw|iptw|ips|importance_weight|inverse_p\w*)(_|$)")
_LOG, _LOGIT = re.compile(r"(^|_)(log|ln)_?p|log_?(prob|lik)"), re.compile(r"logit|log_?odds")


def propose_chance(
    facts: Mapping[str, Facts],
    columns: Sequence[str],
    action: str,
    treatments: pd.Series,
    made: Proposal,
) -> tuple[Any, np.ndarray] | None:
    """The mapping's propensity and the chances it gives, by the columns named like one.

    A column is refused when its values are no chances, and when they can't be those of the choice:
    under the right ones the rows of a treatment, each counted 1/p times, are at most all rows.
    What is refused is told as missing; None when nothing is left, or nothing was named so.
    """
    if (wide := _by_arm(facts, action)) is not None:
        expression, chance, used = wide
        made.numbers += used
        made.found.append(f"propensity: that of the chosen one among {', '.join(used)}")
        return {"expression": expression}, chance
    refused = []
    for name in columns:
        chance, told = _scaled(facts[name])
        if chance is None:
            refused.append(f"{name} {told}")
        elif (too_many := _overcounted(chance, treatments)) is not None:
            refused.append(f"{name} is not the chance of the logged choice: {too_many}")
        else:
            if not told:
                made.found.append(f"propensity: {name}")
                return name, chance
            made.numbers.append(name)
            by = "1 / {}" if facts[name].known.min() >= 1 and _inverse(facts[name]) else "{} / 100"
            made.unsure.append(f"propensity: {name}{told}")
            return {"expression": by.format(sql_name(name))}, chance
    made.missing += [f"the propensity: {told}" for told in refused]
    return None


def _inverse(each: Facts) -> bool:
    return _INVERSE.search(each.word) is not None


def _scaled(each: Facts) -> tuple[np.ndarray | None, str]:
    """A column's numbers as chances, and how they were taken; or None, and why not."""
    if each.listed:
        return None, ("holds lists: write the chance of the chosen one in a column of its own")
    if each.garbled:
        return None, (
            f"can't be read as numbers ({', '.join(each.levels[:3])}, …): mend what is none, or "
            "write log.decimal if the mark is another"
        )
    known = each.known
    least, most = float(known.min()), float(known.max())
    if _LOGIT.search(each.word) or (least < 0 < most):
        return None, (
            f"goes from {least:.4g} to {most:.4g}, so it is no share: if it is a logit, log "
            "1 / (1 + exp(-x)) instead"
        )
    if most <= 0 or _LOG.search(each.word):
        return None, (
            f"goes from {least:.4g} to {most:.4g}, so it is no share: if it is a logarithm, log "
            "exp(x) instead"
        )
    if _inverse(each):
        if least < 1:
            return None, f"is named like 1/p, but goes down to {least:.4g}"
        return 1.0 / each.number, f", taken as 1/p ({least:.4g} to {most:.4g})"
    percent = _PERCENT.search(each.word) is not None
    if not percent and np.mean((known > 0) & (known <= 1)) >= 0.9:
        return each.number, ""
    if most <= 100 and least >= 0:
        return each.number / 100.0, f", taken as per cent ({least:.4g} to {most:.4g})"
    return None, f"goes from {least:.4g} to {most:.4g}, so it is neither a share nor per cent"


def _by_arm(facts: Mapping[str, Facts], action: str) -> tuple[str, np.ndarray, list[str]] | None:
    """A chance for each arm, in a column of its own each, named after the arm."""
    levels = facts[action].levels
    if not 2 <= len(levels) <= MOST_ARMS:
        return None
    ends = {level: "_" + word(level.removesuffix(".0")) for level in levels}
    # p0 is the arm 0's as p_0 is.
    shares = {
        name: "_" + re.sub(r"(?<=[a-z])(?=\d)", "_", each.word)
        for name, each in facts.items()
        if name != action and len(each.known) and 0 <= each.known.min() <= each.known.max() <= 1
    }
    affixes = {(w.removesuffix(end), "") for w in shares.values() for end in ends.values()
               if w.endswith(end)}  # fmt: skip
    affixes |= {("", w.removeprefix(end)) for w in shares.values() for end in ends.values()
                if w.startswith(end + "_")}  # fmt: skip
    for before, after in sorted(affixes):
        named = {level: next((n for n, w in shares.items() if w == before + end + after), None)
                 for level, end in ends.items()}  # fmt: skip
        if None in named.values():
            continue
        table = np.column_stack([facts[name].number for name in named.values()])
        if np.mean(np.isclose(table.sum(axis=1), 1.0, atol=0.01)) < 0.95:
            continue
        whens = [f"WHEN {sql_name(action)} = {sql_text(level)} THEN {sql_name(name)}"
                 for level, name in named.items()]  # fmt: skip
        at = pd.Index(list(named)).get_indexer(facts[action].text.astype(str))
        chance = np.where(at >= 0, table[np.arange(len(at)), at], np.nan)
        return f"CASE {' '.join(whens)} END", chance, list(named.values())
    return None


def _overcounted(chance: np.ndarray, treatments: pd.Series) -> str | None:
    """Which treatment's rows, each counted 1/p times, are more than all rows; None when none is."""
    good = np.isfinite(chance) & (chance > 0) & (chance <= 1)
    inverse = np.where(good, 1.0 / np.where(good, chance, 1.0), 0.0)
    for level in treatments.value_counts().index[:MOST_ARMS]:
        weight = np.where((treatments == level).to_numpy(), inverse, 0.0)
        stands, error = weight.mean(), weight.std() / np.sqrt(len(weight))
        if stands > 1.15 + 4 * error:
            return (
                f"if it were, the rows with '{level}', counted 1/p times each, would stand for "
                f"{stands:.3g} times the log"
            )
    return None


def inverse_mean(propensity: np.ndarray) -> tuple[float, float]:
    """Mean of 1/p and its standard error: the expected number of eligible treatments."""
    inverse = 1.0 / propensity[(propensity > 0) & (propensity <= 1)]
    if not len(inverse):
        return float("nan"), float("nan")
    return float(inverse.mean()), float(inverse.std() / np.sqrt(len(inverse)))


def agrees(propensity: np.ndarray, count: float) -> bool:
    """Whether a mean of 1/p is near a number of eligible treatments (15 %, or 4 errors)."""
    mean, error = inverse_mean(propensity)
    return abs(mean - count) <= max(0.15 * count, 4 * error)


def balance(treatment: pd.Series, attributes: dict[str, pd.Series]) -> tuple[float, str, int]:
    """How unlikely a random choice is: the smallest chi-squared p-value, its column, how many.

    Numbers are cut into five equal parts, rare values put together. Under a choice at random no
    attribute that was there before goes with the treatment.
    """
    from scipy.stats import chi2_contingency  # takes a second to import

    chosen = _levels(treatment)
    least, worst, looked = 1.0, "", 0
    for name, values in attributes.items():
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > LEVELS:
            values = pd.qcut(values, 5, duplicates="drop").astype(str)
        table = pd.crosstab(chosen, _levels(values))
        if min(table.shape) < 2:
            continue
        looked += 1
        p = float(chi2_contingency(table.to_numpy()).pvalue)
        if p < least:
            least, worst = p, name
    return least, worst, looked


def balanced(least: float, looked: int) -> bool:
    """Whether nothing speaks against a choice at random, with at least three columns looked at."""
    return looked >= 3 and least * looked >= ALPHA


def _levels(values: pd.Series) -> pd.Series:
    text = values.astype(object).where(values.notna(), "").astype(str)
    kept = text.value_counts().index[:LEVELS]
    return text.where(text.isin(kept), "other values")
