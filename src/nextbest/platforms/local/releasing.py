"""The laptop's ports of a release, over a lakehouse folder."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.platforms.local.aliases import LocalAliases
from nextbest.platforms.local.environment import lakehouse
from nextbest.platforms.local.ledger import LocalLedger
from nextbest.platforms.local.serving import LocalServing
from nextbest.platforms.releases import Releases

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from nextbest.settings import Settings


def in_a_task(settings: Settings, spark: SparkSession) -> Releases:
    """The ports of the lakehouse that the runner named; no engine is needed for them."""
    return in_a_folder(lakehouse(), settings.table("promotions"))


def in_a_folder(home: Path, ledger: str) -> Releases:
    """The ports of a lakehouse; `ledger` is the table's three-level name."""
    return Releases(
        LocalLedger(home, ledger), LocalAliases(home), LocalServing(home), getpass.getuser
    )
