"""`dbb destroy`: takes down what can be deployed again; data only with --data."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nextbest.bundle import find_root
from nextbest.bundle.flags import parse_variables
from nextbest.commands.asking_back import agreed, typed
from nextbest.commands.bundle_program import MEND, BundleProgram, find_program
from nextbest.commands.deploy import open_deployment
from nextbest.commands.deployment import STATELESS, Deployment
from nextbest.errors import RunError
from nextbest.platforms.databricks import holdings, stores
from nextbest.platforms.databricks.deployed import KINDS, Resource, ids


@dataclass(frozen=True)
class Holdings:
    """What the target's schemas hold."""

    tables: tuple[str, ...]
    models: Mapping[str, list[int]]  # with their versions

    @property
    def online(self) -> list[str]:
        """Online tables: copies of feature tables, named after them."""
        named = (each for each in self.tables if each.endswith("_online"))
        return [each for each in named if each.removesuffix("_online") in self.tables]


def destroy(args: argparse.Namespace) -> int:
    """Remove jobs and whatever else can be deployed again; with --data all that they made, too.

    Without --data the deployment first forgets schemas, volumes, models and experiments, which
    `databricks bundle destroy` would delete. Returns 0 when all that was to go is gone, 1 when
    nothing was agreed to or something is left, else what the Databricks CLI ended with.
    """
    root, variables = find_root(Path.cwd()), parse_variables(args.var)
    deployment = open_deployment(root, args.target, variables)
    bundle = deployment.bundle
    program = find_program(root, bundle.target, args.var, args.force_lock)
    held = program.deployed()
    here = _holdings(deployment)
    there = deployment.there()
    data = [each for each in there if each.group not in STATELESS]
    loose = [each for each in there if each.group in STATELESS and _place(each) not in held]
    strays = {each: found for each in loose if (found := deployment.strays(each))}
    doomed = [each for each in there if _place(each) in held or each in strays]
    doomed = [each for each in doomed if each.group in STATELESS]
    extras = _extras(deployment, args.data or not here.online)
    others = [pair for pair in sorted(held) if pair[0] not in KINDS]
    soft = [".".join(pair) for pair in others if pair[0] in STATELESS]
    hard = [".".join(pair) for pair in others if pair[0] not in STATELESS]
    _show([*doomed, *soft, *extras], [*data, *hard], here, args.data)
    if not args.auto_approve and not _agreed(deployment, args.data):
        print("nothing was changed")
        return 1

    if not args.data:
        _keep(program, deployment, held)
    for each, found in strays.items():  # of a deploy that was killed: else they would stay
        program.bind(each.key, found[0])
    for told in extras:
        print(f"deleting {told}")
    _delete_extras(deployment, here, args.data)
    code = program.destroy()
    if code:
        print(f"`databricks bundle destroy` ended with {code}: {MEND}")
        return code
    if args.data:
        for each in reversed(data):  # what a deployment had forgotten before
            holdings.delete(deployment.workspace, each)
    left = [each for each in doomed if deployment.strays(each)]
    left += [each for each in data if args.data and ids(deployment.workspace, each)]
    for each in left:
        print(f"    {each} is still there")
    kept = "" if args.data else f", {len(data)} resources with data are kept"
    print(f"{bundle.target}: {len(left)} left{kept}")
    return 1 if left else 0


def _place(resource: Resource) -> tuple[str, str]:
    return resource.group, resource.key


def _keep(
    program: BundleProgram, deployment: Deployment, held: Mapping[tuple[str, str], str]
) -> None:
    """Let the deployment forget its data; RunError, before anything is deleted, if it does not."""
    declared = deployment.bundle.resources
    data = [pair for pair in sorted(held) if pair[0] not in STATELESS]
    unknown = [f"{group}.{key}" for group, key in data if key not in (declared.get(group) or {})]
    if unknown:
        raise RunError(
            f"{', '.join(unknown)} belongs to the deployment, but is no longer in the YAML: put it "
            "back, so that it can be kept. Nothing was deleted"
        )
    for _, key in data:
        program.unbind(key)
    left = sorted(pair for pair in program.deployed() if pair[0] not in STATELESS)
    if left:
        names = ", ".join(".".join(pair) for pair in left)
        raise RunError(f"{names} could not be taken out of the deployment: nothing was deleted")


def _holdings(deployment: Deployment) -> Holdings:
    schemas, workspace = deployment.schemas, deployment.workspace
    tables = [table for schema in schemas for table in holdings.tables(workspace, schema)]
    models = {
        model: numbers
        for schema in schemas
        for model, numbers in holdings.models(workspace, schema).items()
    }
    return Holdings(tuple(tables), models)


def _extras(deployment: Deployment, with_store: bool) -> list[str]:
    """What jobs and `dbb deploy` made beside the bundle, and can make again."""
    found = []
    endpoint, store = deployment.endpoint, deployment.store
    if endpoint and holdings.endpoint_is_there(deployment.workspace, endpoint):
        found.append(f"endpoint {endpoint}")
    if store and with_store and stores.is_there(deployment.workspace, store):
        found.append(f"online store {store}")
    return found


def _delete_extras(deployment: Deployment, here: Holdings, with_data: bool) -> None:
    """What is in the way of deleting the rest goes first: who serves, then what is served."""
    workspace = deployment.workspace
    if deployment.endpoint:
        holdings.delete_endpoint(workspace, deployment.endpoint)
    for table in here.online if with_data else ():
        stores.delete_table(workspace, table)
    if deployment.store and (with_data or not here.online):
        stores.delete(workspace, deployment.store)
    if with_data:
        holdings.delete_versions(workspace, here.models)


def _show(
    doomed: Iterable[object], data: Iterable[object], here: Holdings, with_data: bool
) -> None:
    print("these are deleted, and can be deployed again:")
    for each in doomed:
        print(f"    {each}")
    print("these are LOST, with all that they hold:" if with_data else "these are kept:")
    for each in data:
        print(f"    {each}")
    for table in here.tables:
        print(f"    table {table}")
    for model, numbers in here.models.items():
        print(f"    model {model}: {len(numbers)} versions")
    if here.online and not with_data:
        print("    the online store, which serves online tables (and goes on costing money)")


def _agreed(deployment: Deployment, with_data: bool) -> bool:
    target = deployment.bundle.target
    if not with_data:
        return agreed(f"take down {target}?")
    return all(
        typed(f"type {schema} to delete all of it:", schema) for schema in deployment.schemas
    )
