"""The feature tables: by which columns a row is found, and which one says when it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class FeatureTable(NamedTuple):
    """Key columns, and the timestamp up to which everything was known."""

    keys: tuple[str, ...]
    timestamp: str


FEATURE_TABLES: Mapping[str, FeatureTable] = {
    "customer_features": FeatureTable(("customer_id",), "as_of"),
    "customer_history": FeatureTable(("customer_id",), "as_of"),
    "action_features": FeatureTable(("action_id", "channel"), "as_of"),
}
