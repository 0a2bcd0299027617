"""Clusters: runtimes, instance types and policies."""

from __future__ import annotations

from databricks.sdk.service.compute import ClusterPoliciesAPI, ClustersAPI

from workspace.routes import absent, route

RUNTIMES = "/api/2.1/clusters/spark-versions"
NODE_TYPES = "/api/2.1/clusters/list-node-types"
POLICY = "/api/2.0/policies/clusters/get"


@route("GET", RUNTIMES, ClustersAPI.spark_versions)
def runtimes(space, asked):
    return {"versions": [{"key": key, "name": key} for key in space.kept["runtimes"]]}


@route("GET", NODE_TYPES, ClustersAPI.list_node_types)
def node_types(space, asked):
    sizes = {"memory_mb": 31232, "num_cores": 4.0}
    return {
        "node_types": [
            {"node_type_id": key, "instance_type_id": key, "description": key, **sizes}
            for key in space.kept["node types"]
        ]
    }


@route("GET", POLICY, ClusterPoliciesAPI.get)
def policy(space, asked):
    key = asked.query["policy_id"]
    if key not in space.kept["policies"]:
        raise absent(f"Can't find a cluster policy with id: {key}.")
    return {"policy_id": key, "name": space.kept["policies"][key]}
