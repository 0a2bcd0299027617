"""The ledger's statements for the embedded engine, which takes no parameters in a MERGE."""

from __future__ import annotations

import re

PROPERTIES = " TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')"


def for_the_engine(statement, given):
    """The statement with its :names filled in, and without the isolation level."""
    text = statement.replace(PROPERTIES, "")
    return re.sub(r":(\w+)\b", lambda found: _literal(given[found[1]]), text) if given else text


def _literal(value):
    if value is None:
        return "NULL"
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
