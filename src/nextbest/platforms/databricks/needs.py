"""What the jobs of a target need of a workspace, and what was found of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Cluster:
    """A job cluster as the bundle declares it; "" where it says nothing."""

    key: str
    spark_version: str
    node_type_id: str
    policy_id: str


@dataclass(frozen=True)
class Warehouse:
    """A SQL warehouse that resources name, by its id or, where it is looked up, by its name."""

    of: str  # such as alert drift_alert, dashboard monitoring
    named: str
    by_name: bool


@dataclass(frozen=True)
class Needs:
    """What the jobs of a target work with."""

    catalog: str
    schema: str
    volume: str
    clusters: tuple[Cluster, ...]  # none: serverless
    profiling: str  # the setting
    warehouses: tuple[Warehouse, ...] = ()
    runs_as: str = ""  # user or service principal that jobs run as; "": who deploys


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, what mends it, and who can do that."""

    check: str
    state: Literal["ok", "wrong", "unknown"]
    told: str
    mend: str = ""
    who: str = ""
