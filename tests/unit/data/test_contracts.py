from __future__ import annotations

import pytest

from nextbest.data.contracts import Column, Contract, contracts, log_contracts
from nextbest.data.judging import row_rules
from nextbest.data.quarantine import QUARANTINE
from nextbest.errors import DataError

pytestmark = pytest.mark.unit
OWN = log_contracts([Column("age", "double", "in years", nullable=True)], ["sale"])


@pytest.mark.parametrize("source", ["simulated", "open_bandit"])
def test_every_table_has_a_contract_with_known_keys(source):
    found = contracts(source)
    assert list(found) == ["customers", "actions", "interactions", "decisions", "outcomes"]
    for contract in [*found.values(), QUARANTINE]:
        columns = {column.name: column for column in contract.columns}
        assert len(columns) == len(contract.columns)
        assert not any(columns[key].nullable for key in contract.keys)
        assert all(column.comment for column in contract.columns)


def test_an_unknown_source_is_refused():
    with pytest.raises(DataError, match="'warehouse'.*simulated, open_bandit"):
        contracts("warehouse")


@pytest.mark.parametrize("source", ["simulated", "open_bandit"])
def test_references_lead_back_to_columns_of_tables_that_came_before(source):
    before = {}
    for name, contract in contracts(source).items():
        for reference in contract.references:
            assert set(reference.parent) <= set(before[reference.table].names)
        before[name] = contract
    assert [r.table for r in before["decisions"].references] == ["customers", "actions"]
    assert [r.table for r in before["outcomes"].references] == ["decisions"]


def test_a_contract_that_names_a_column_it_lacks_is_refused():
    with pytest.raises(DataError, match="contract of t: b, made_at are no columns of it: it has a"):
        Contract("t", (Column("a", "string", "a"),), ("a", "b"), {}, moment="made_at")


def test_a_log_of_ones_own_is_asked_for_what_it_is():
    age = Column("age", "double", "in years", nullable=True)
    found = log_contracts([age], ["sale", "what's new"])
    assert list(found) == list(contracts("simulated"))
    assert found["customers"].names == ["customer_id", "age"]
    assert found["outcomes"].rules == {
        "kind is one of sale, what's new": "kind IN ('sale', 'what\\'s new')",
        "reward between 0 and 1": "reward BETWEEN 0 AND 1",
    }
    for name in ("actions", "interactions", "decisions"):
        assert found[name] == contracts("simulated")[name]


@pytest.mark.parametrize("made", [contracts("simulated"), contracts("open_bandit"), OWN])
def test_every_number_of_every_contract_is_to_be_finite(made):
    kinds = {column.type for contract in made.values() for column in contract.columns}
    assert kinds == {"string", "double", "boolean", "bigint", "timestamp", "array<string>"}
    for contract in (*made.values(), QUARANTINE):
        rules = {*row_rules(contract)}
        for column in contract.columns:
            assert (f"{column.name} is finite" in rules) == (column.type == "double")
