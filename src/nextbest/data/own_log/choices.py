"""What was chosen, among what, and with which chance: proposed from a sample."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nextbest.data.own_log import chances
from nextbest.data.own_log.columns import Facts
from nextbest.data.own_log.names import CONTROL, RESERVED, free_name
from nextbest.data.own_log.proposal import Proposal
from nextbest.data.own_log.roles import Roles


def propose_choice(
    decisions: dict[str, Any],
    facts: Mapping[str, Facts],
    roles: Roles,
    attributes: dict[str, tuple[str, str]],
    made: Proposal,
) -> None:
    """Fill in action_id, channel, eligible and propensity; `attributes` may get the channel."""
    action = facts[roles.action]
    decisions["action_id"] = _action(action, made)
    channel = roles.channel
    told = None if channel is None else _own(decisions["action_id"], facts, roles, attributes)
    if told is not None:
        taken = {*RESERVED, *attributes}
        attributes[free_name(facts[channel].word, taken)] = (channel, "text")
        made.unsure.append(f"{channel}: taken as the customer's own, for {told}")
        channel = None
    decisions["channel"] = {"constant": "only"} if channel is None else channel
    made.found.append(f"channel: {'none in the log' if channel is None else channel}")
    _eligible_and_chance(decisions, facts, roles, attributes, channel, made)


def _action(action: Facts, made: Proposal) -> Any:
    levels = action.levels
    shown = ", ".join(levels[:5]) + (", …" if len(levels) > 5 else "")
    made.found.append(f"action_id: {action.name}, {len(levels)} in the sample: {shown}")
    nobody = [level for level in levels if _nobody(level)]
    if action.gaps:
        made.unsure.append(
            f"action_id: {action.name} is empty in {action.text.isna().mean():.0%}: if that means "
            f"that nothing was done, write {{column: {action.name}, empty: none}}"
        )
    if action.binary and re.search(r"treat", action.word):
        at = {level: float(action.number[(action.text == level).to_numpy()][0]) for level in levels}
        named = {level: "treated" if number else "none" for level, number in at.items()}
        told = ", ".join(f"{level} is taken as {name}" for level, name in sorted(named.items()))
        made.unsure.append(f"{action.name}: {told} (none: no action)")
        return {"column": action.name, "values": dict(sorted(named.items()))}
    if len(nobody) == 1:
        made.unsure.append(f"{action.name}: '{nobody[0]}' is taken as no action")
        return {"column": action.name, "values": {nobody[0]: "none"}}
    if len(levels) <= chances.MOST_ARMS and all(re.fullmatch(r"\d+\.0+", lv) for lv in levels):
        made.unsure.append(f"{action.name}: {levels[0]} and so on are taken as whole numbers")
        return {"column": action.name, "values": {lv: lv.split(".")[0] for lv in sorted(levels)}}
    return action.name


def _nobody(level: str) -> bool:
    """Whether an action's name says that nothing was done, and is another one than ours."""
    return level != "none" and (CONTROL.fullmatch(level) is not None or level.lower() == "no")


def _own(
    action: Any,
    facts: Mapping[str, Facts],
    roles: Roles,
    attributes: Mapping[str, tuple[str, str]],
) -> str | None:
    """Why what is named like a channel is not the decision's, but the customer's; or None."""
    where, chosen = facts[roles.channel].text, _treatments(action, facts, None)
    if where[(chosen == "none").to_numpy()].nunique() > 1:
        return "those who got nothing have several of them"
    if roles.chances:
        return None
    # A customer's own channel goes with what is known of them; a chosen one need not.
    known = {n: _series(facts[c]) for n, (c, _) in attributes.items()}
    alone, _, looked = chances.balance(chosen, known)
    both, worst, _ = chances.balance(where, known)
    if chances.balanced(alone, looked) and not chances.balanced(both, looked):
        return f"it goes with {worst} and {roles.action} does not"
    return None


def _eligible_and_chance(
    decisions: dict[str, Any],
    facts: Mapping[str, Facts],
    roles: Roles,
    attributes: dict[str, tuple[str, str]],
    channel: str | None,
    made: Proposal,
) -> None:
    """The eligible set and the propensity, which must fit each other."""
    pairs = _treatments(decisions["action_id"], facts, channel)
    count = pairs.nunique()
    decisions["eligible"] = "all"
    if roles.eligible is not None:
        decisions["eligible"] = dict(roles.eligible)
        made.found.append(
            f"eligible: {roles.eligible['column']}, which nearly always holds the choice"
        )
    proposed = chances.propose_chance(facts, roles.chances, roles.action, pairs, made)
    if proposed is None:
        decisions["propensity"] = "unknown"
        if not roles.chances:
            decisions["propensity"] = _without(facts, roles, pairs, attributes, made)
        return
    decisions["propensity"], chance = proposed
    mean, _ = chances.inverse_mean(chance[np.isfinite(chance)])
    made.found.append(
        f"propensity: the mean of 1/p is {mean:.2f}, which should be the mean number of eligible "
        "treatments"
    )
    if roles.eligible is not None:
        return
    if chances.agrees(chance, count):
        made.found.append(f"eligible: all {count} treatments, as 1/p tells")
        return
    if channel is not None:
        where = facts[channel].text
        sizes = {level: pairs[where == level].nunique() for level in where.dropna().unique()}
        if all(
            chances.agrees(chance[(where == level).to_numpy()], n) for level, n in sizes.items()
        ):
            decisions["eligible"] = "all_of_channel"
            made.found.append("eligible: all treatments of the row's channel, as 1/p tells")
            return
    alone = _treatments(decisions["action_id"], facts, None).nunique()
    hint = (
        f"; it fits the {alone} actions without {channel}: if that was not chosen, write "
        "decisions.channel: {constant: only}"
        if channel is not None and chances.agrees(chance, alone)
        else ""
    )
    made.missing.append(
        f"what was eligible: the log has {count} treatments, and the mean of 1/p is {mean:.2f}, so "
        "not all of them were, or these are not the chances of the choice: name the column or the "
        f"treatments in decisions.eligible, or the right propensity{hint}"
    )


def _treatments(action: Any, facts: Mapping[str, Facts], channel: str | None) -> pd.Series:
    """What the flat rows' treatments will be, as far as they differ."""
    mapped = isinstance(action, dict)
    names = facts[action["column"] if mapped else action].text
    if mapped:
        names = names.replace(action["values"])
    if channel is None:
        return names
    return (names + ":" + facts[channel].text).where(names != "none", "none")


def _without(
    facts: Mapping[str, Facts],
    roles: Roles,
    pairs: pd.Series,
    attributes: dict[str, tuple[str, str]],
    made: Proposal,
) -> str:
    """No column of propensities: was the choice made at random?"""
    known = {n: _series(facts[column]) for n, (column, _) in attributes.items()}
    if roles.decided_at is not None:
        days = facts[roles.decided_at].time
        known["decided_at"] = pd.Series(days.astype("int64").astype(float)).where(days.notna())
    least, worst, looked = chances.balance(pairs, known)
    rare = pairs.nunique() > 100
    several = roles.eligible is not None and _different_sets(facts[roles.eligible["column"]])
    if chances.balanced(least, looked) and not rare and not several:
        made.unsure.append(
            f"propensity: none in the log. The choice goes with none of {looked} columns (the "
            f"smallest p-value is {least:.2g}, of {worst}), as in a randomised trial: shares are "
            "counted (empirical). Keep that only if it was one"
        )
        return "empirical"
    if rare:
        why = f"it has {pairs.nunique()} values"
    elif looked and not chances.balanced(least, max(looked, 3)):
        why = f"it goes with {worst} (p-value {least:.1g}), so it was not made at random alike"
    elif several:
        why = "it was made among too many different sets to count shares within each"
    else:
        why = "whether it was made at random can't be told from so few columns"
    made.missing.append(
        f"the propensity: no column holds the chance of the choice, and {why}. Without it no other "
        "policy can be valued: log it, or, if the choice was random, write decisions.propensity: "
        "uniform, or empirical with the columns it was random within"
    )
    return "unknown"


def _different_sets(eligible: Facts) -> bool:
    return len(eligible.levels) * chances.ROWS_OF_A_SET > len(eligible.text)


def _series(facts: Facts) -> pd.Series:
    return facts.text if facts.number is None else pd.Series(facts.number)
