"""Whether a workspace has the compute that a target's jobs, alerts and dashboards name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from nextbest.platforms.databricks.asking import ask, look
from nextbest.platforms.databricks.needs import Cluster, Finding, Warehouse

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.iam import User

CREATES_CLUSTERS = "allow-cluster-create"  # the entitlement
GOING = ("DELETED", "DELETING")


def clusters_found(
    workspace: WorkspaceClient, me: User, clusters: tuple[Cluster, ...]
) -> Iterator[Finding]:
    """Whether each job cluster can be made: runtime, instance type, policy."""
    if not clusters:
        yield Finding("compute", "ok", "serverless: nothing to choose")
        return
    runtimes = ask(workspace.clusters.spark_versions, "runtimes", "workspace access").versions
    nodes = ask(workspace.clusters.list_node_types, "instance types", "workspace access").node_types
    known = {each.key for each in runtimes or ()}
    machines = {each.node_type_id for each in nodes or ()}
    for cluster in clusters:
        where = f"job cluster {cluster.key}"
        if cluster.spark_version not in known:
            is_ml = "-ml-" in cluster.spark_version
            same = [each for each in known if each and ("-ml-" in each) == is_ml]
            newest = sorted(same, key=_release)[-3:]
            yield Finding(
                "runtime", "wrong", f"{where}: no runtime {cluster.spark_version} here",
                f"choose one that is: {', '.join(newest) or 'none of its kind'}",
                "who edits compute in databricks.yml",
            )  # fmt: skip
        else:
            yield Finding("runtime", "ok", f"{where}: {cluster.spark_version}")
        if cluster.node_type_id and cluster.node_type_id not in machines:
            some = ", ".join(sorted(filter(None, machines))[:3])
            yield Finding(
                "instance type", "wrong", f"{where}: no {cluster.node_type_id} in this cloud",
                f"set the variable node_type_id, such as to one of {some}",
                "who edits databricks.yml",
            )  # fmt: skip
        yield _policy(workspace, me, cluster, where)


def _release(runtime: str) -> tuple[list[int], str]:
    """By which runtimes are in order: 9.1.x-scala2.12 comes before 17.3.x-scala2.13."""
    return [int(part) for part in re.findall(r"\d+", runtime.partition("-")[0])], runtime


def _policy(workspace: WorkspaceClient, me: User, cluster: Cluster, where: str) -> Finding:
    """Whether the cluster may be made: by its policy, or without one."""
    from databricks.sdk.errors import PermissionDenied

    policy = cluster.policy_id
    if policy:
        what, right = f"cluster policy {policy}", "CAN USE on the policy"
        call = partial(workspace.cluster_policies.get, policy)
        try:
            found = look(call, what, right, (PermissionDenied,))
        except PermissionDenied:
            found = None
        if found is None:
            return Finding(
                "cluster policy", "wrong",
                f"{where}: policy {policy} is not there, or {me.user_name} may not use it",
                f"create it, or give {right}", "workspace admin",
            )  # fmt: skip
        return Finding("cluster policy", "ok", f"{where}: {found.name}")
    entitled = {each.value for each in me.entitlements or ()}
    groups = {group.display for group in me.groups or ()}
    if CREATES_CLUSTERS in entitled or "admins" in groups:
        return Finding("cluster policy", "ok", f"{where}: made without a policy")
    return Finding(
        "cluster policy", "wrong", f"{where}: {me.user_name} may make clusters by a policy only",
        "name a policy_id in the cluster, or give the entitlement of unrestricted cluster creation",
        "workspace admin",
    )  # fmt: skip


def warehouses_found(
    workspace: WorkspaceClient, me: User, needed: tuple[Warehouse, ...]
) -> Iterator[Finding]:
    """Whether each SQL warehouse is there: the workspace lists those that who asks may use.

    One that is looked up by its name and is not there keeps the bundle from being deployed at all.
    """
    if not needed:
        yield Finding("SQL warehouse", "ok", "nothing names one")
        return
    listed = ask(lambda: list(workspace.warehouses.list()), "SQL warehouses", "workspace access")
    usable = [each for each in listed if each.state is None or each.state.value not in GOING]
    for each in needed:
        if each.named in {one.name if each.by_name else one.id for one in usable}:
            yield Finding("SQL warehouse", "ok", f"{each.of}: {each.named}")
            continue
        how = "named" if each.by_name else "with the id"
        some = ", ".join(sorted(f"{one.id} ({one.name})" for one in usable))
        yield Finding(
            "SQL warehouse", "wrong",
            f"{each.of}: {me.user_name} may use no warehouse {how} {each.named}",
            f"give --var warehouse_id=ID of one that is there: {some}" if some
            else "create one, and give CAN USE on it",
            "who edits databricks.yml, or workspace admin" if some else "workspace admin",
        )  # fmt: skip
