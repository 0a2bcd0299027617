from __future__ import annotations

import pytest

from nextbest.data.contracts import QUARANTINE, contracts
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


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
