"""How `dbb costs` words money; what is not known is never worded as 0."""

from __future__ import annotations

from nextbest.commands.cost_report import SO_FAR, Report


def money(cost: float | None, instead: str = "—") -> str:
    """An amount; small ones to the hundredth of a cent."""
    if cost is None:
        return instead
    return f"{cost:,.2f}" if abs(cost) >= 1 or not cost else f"{cost:.4f}"


def cost_of(run_cost: float | None, billing: str) -> str:
    """What is said of a run's cost: the amount where it is known, else why it is not."""
    return f"{money(run_cost)} so far" if billing == SO_FAR else money(run_cost, billing or "—")


def total(found: Report) -> str:
    """The sum in words."""
    if found.currency is None:
        return "not billed"
    return "nothing billed yet" if found.cost is None else f"{money(found.cost)} {found.currency}"


def of_runs(found: Report) -> str:
    """How many runs, how many failed, and what each that succeeded cost."""
    whole = found.whole
    told = f"{whole.runs} run{'' if whole.runs == 1 else 's'} ended, {whole.failed} failed"
    if whole.failed_share is not None:
        told += f" ({whole.failed_share:.0%})"
    if found.currency is not None and whole.cost_per_success is not None:
        told += f"; {money(whole.cost_per_success)} {found.currency} per run that succeeded"
    return told
