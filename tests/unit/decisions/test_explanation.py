import dataclasses

import numpy as np
import pandas as pd
import pytest

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider, decide
from nextbest.decisions.explanation import explain
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


@dataclasses.dataclass(frozen=True)
class Table:
    """A model that says .01 for the first treatment, .02 for the second and so on; 0 for none."""

    features: tuple[str, ...] = ("x",)

    def predict_matrix(self, customers, treatments, eligible=None):
        p = np.arange(1, len(treatments) + 1) / 100 * ~treatments.is_none
        return {"response": np.where(eligible, p, np.nan)}


def worth(customers, treatments):
    return 10.0 * treatments.value[None, :]


@pytest.fixture
def decider(treatments):
    rule = Arbitration((Head("response", "response", worth),))
    return Decider(Table(), treatments, rule, Policy("nba", "1", epsilon=0.1, control_share=0.2))


@pytest.fixture
def eligible(treatments):
    return np.array([[name != "upgrade:sms" for name in treatments.names]])


def told(decider, eligible, number, decision="d-1", **more):
    customer = pd.DataFrame({"customer_id": [f"c-{number}"], "x": [1.0]})
    found = explain(customer, eligible, decision, decider, 3, **more)
    (row,) = decide(customer, eligible, np.array([decision]), decider, 3).to_dict("records")
    assert found.row == row
    return found


def test_the_table_has_every_part_and_adds_up(decider, eligible, treatments):
    found = told(decider, eligible, 0, rejections={"upgrade:sms": ["no consent", "capped"]})
    table = found.table
    assert sorted(table["treatment"]) == list(treatments.names)
    assert table["chosen"].tolist() == [True] + [False] * 4
    assert table["probability"].sum() == pytest.approx(1.0, abs=1e-12)
    row = table.set_index("treatment").loc["upgrade:sms"]
    assert row["rejected"] == "no consent; capped"
    assert row["probability"] == 0
    open_ = table[table["eligible"]]
    assert (open_["rejected"] == "").all()
    score = open_["p_response"] * open_["worth_response"] * open_["lever"] - open_["cost"]
    np.testing.assert_allclose(open_["score"], score, rtol=1e-12)


def test_one_sentence_for_each_way(decider, eligible):
    sentences = {}
    for number in range(60):
        found = told(decider, eligible, number, f"d-{number}")
        sentences.setdefault(found.row["reason_code"], found.sentence)
    assert sentences["best"] == (
        "upgrade:email was chosen because it has the best score: of 5 treatments 4 were eligible; "
        "its score 0.398 comes from 0.04 × 10 response less cost 0.002, +0.398 against none; "
        "greedy choice mixed with 0.1 of even choice gave it probability 0.925."
    )
    assert "because the policy explored" in sentences["explored"]
    assert "(upgrade:email has 0.398)" in sentences["explored"]
    assert "the even draw of the control group gave it probability 0.25" in sentences["control"]


def test_weights_and_rankings_are_told(decider, eligible, treatments):
    context = np.full((1, len(treatments)), 2.0)
    soft = Policy("nba", "1", epsilon=0.1, temperature=0.5, floor=0.05)
    other = dataclasses.replace(decider, policy=soft)
    customer = pd.DataFrame({"customer_id": ["c-1"], "x": [1.0]})
    found = explain(customer, eligible, "d-1", other, 3, context=context)
    assert "context 2 less cost" in found.sentence
    assert "softmax (temperature 0.5) mixed with 0.1 of even choice, at least 0.05 for each" in (
        found.sentence
    )
    with pytest.raises(DataError, match="decision d-1: 2 customers; explain takes one"):
        explain(pd.concat([customer] * 2), eligible, "d-1", other, 3)
