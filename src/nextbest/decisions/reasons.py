"""Why this treatment: a short code per decision, and one sentence."""

from __future__ import annotations

import numpy as np

from nextbest.decisions.control import ELIGIBILITY_ONLY, RANDOM

WIDER = "eligibility_only"  # chosen from what eligibility alone allows
# In this order: the first that holds is the reason.
CODES = ("control", WIDER, "capped", "only_eligible", "best", "explored")
_SENTENCES = (
    "control group: uniform over %d eligible",
    "control group: uniform over %d that eligibility alone allows",
    "capped: a limit kept the first choice back, of %d eligible",
    "only eligible treatment (%d)",
    "best score of %d eligible",
    "explored, of %d eligible",
)


def reason_codes(
    score: np.ndarray,
    best: np.ndarray,
    counts: np.ndarray,
    groups: np.ndarray,
    capped: np.ndarray | None = None,
) -> np.ndarray:
    """Position in CODES of each decision's reason, int64 [n].

    From the chosen treatment's score, the best eligible one, the number of eligible treatments,
    the control group (control.control_groups) and `capped`, bool: whether a limit changed the
    choice (None: no limit was there), [n] each. "best" is a choice that nothing eligible
    outscores; whatever else the policy drew, it "explored".
    """
    codes = np.where(score == best, CODES.index("best"), CODES.index("explored"))
    codes[counts == 1] = CODES.index("only_eligible")
    if capped is not None:
        codes[capped] = CODES.index("capped")
    codes[groups == ELIGIBILITY_ONLY] = CODES.index(WIDER)
    codes[groups == RANDOM] = CODES.index("control")
    return codes


def sentences(treatments: int) -> np.ndarray:
    """The sentence of each code and number of eligible treatments, str [6 · (treatments + 1)].

    Few different sentences serve many decisions: that of a decision stands at
    code · (treatments + 1) + number eligible.
    """
    texts = [text % count for text in _SENTENCES for count in range(treatments + 1)]
    return np.array(texts, dtype=object)
