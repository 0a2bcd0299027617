"""What a target's jobs need of a workspace: looked for there, without changing anything.

Privileges as in Unity Catalog's documentation ("Unity Catalog privileges and securable objects"):
the owner of a thing holds all of them, and what is granted above is inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import ask, look
from nextbest.platforms.databricks.compute_checks import clusters_found, warehouses_found
from nextbest.platforms.databricks.needs import Finding, Needs
from nextbest.platforms.databricks.rights import groups_of, lacking

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.iam import User

ON_SCHEMA = ("USE_SCHEMA", "SELECT", "MODIFY", "CREATE_TABLE", "CREATE_MODEL", "CREATE_FUNCTION",
             "APPLY_TAG")  # fmt: skip
ON_VOLUME = ("READ_VOLUME", "WRITE_VOLUME")
NO_TABLE = "00000000-0000-0000-0000-000000000000"
NO_API = ("ENDPOINT_NOT_FOUND", "FEATURE_DISABLED", "NOT_IMPLEMENTED")


def examine(workspace: WorkspaceClient, needs: Needs) -> list[Finding]:
    """Everything that is found, in the order in which it has to be mended."""
    try:
        me = ask(workspace.current_user.me, f"workspace {workspace.config.host}", "a valid token")
    except PlatformError as error:
        return [Finding("credentials", "wrong", str(error), "log in anew", "you")]
    found = [_asker(me, workspace.config.host, needs.runs_as)]
    checks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
        ("Unity Catalog", lambda: _metastore(workspace)),
        ("data", lambda: _data(workspace, me, needs)),
        ("compute", lambda: clusters_found(workspace, me, needs.clusters)),
        ("SQL warehouse", lambda: warehouses_found(workspace, me, needs.warehouses)),
        ("profiling", lambda: _profiling(workspace, needs)),
        ("online store", lambda: _answers(
            lambda: list(workspace.feature_store.list_online_stores()),
            "online store", "Online Feature Store")),
        ("serving", lambda: _answers(
            lambda: list(workspace.serving_endpoints.list()), "serving", "Model Serving")),
    )  # fmt: skip
    for name, check in checks:
        try:
            found += check()
        except PlatformError as error:
            found.append(Finding(name, "unknown", str(error), "see the message", "workspace admin"))
    return found


def _asker(me: User, host: str, runs_as: str) -> Finding:
    """Who asks: rights are looked up for them, which says nothing of anybody else's."""
    if not runs_as or me.user_name == runs_as:
        return Finding("credentials", "ok", f"{me.user_name} at {host}")
    return Finding(
        "credentials", "unknown",
        f"jobs run as {runs_as}, and what is said below holds for {me.user_name}",
        f"ask as {runs_as}, as CI does", "who may log in as it",
    )  # fmt: skip


def _metastore(workspace: WorkspaceClient) -> Iterator[Finding]:
    there = _get(workspace.metastores.current, "the metastore")
    if there is None or not there.metastore_id:
        yield Finding(
            "Unity Catalog", "wrong", "the workspace has no metastore",
            "assign one to it in the account console", "account admin",
        )  # fmt: skip
    else:
        yield Finding("Unity Catalog", "ok", f"metastore {there.metastore_id}")


def _data(workspace: WorkspaceClient, me: User, needs: Needs) -> Iterator[Finding]:
    """Catalog, schema and volume: there, or to be made by the next deploy, and the rights to it."""
    name = needs.catalog
    catalog = _get(lambda: workspace.catalogs.get(name), f"catalog {name}")
    if catalog is None:
        yield Finding(
            "catalog", "wrong", f"{name} is not there, or hidden from {me.user_name}",
            "create it, or grant USE CATALOG on it", "metastore admin, or the catalog's owner",
        )  # fmt: skip
        return
    full = f"{name}.{needs.schema}"
    schema = _get(lambda: workspace.schemas.get(full), f"schema {full}")
    on_catalog = ["USE_CATALOG", *(["CREATE_SCHEMA"] if schema is None else [])]
    yield _rights(workspace, me, "catalog", name, catalog.owner, on_catalog)
    if schema is None:
        yield Finding("schema", "ok", f"{full} is made by the next deploy")
        return
    volume_name = f"{full}.{needs.volume}"
    volume = _get(lambda: workspace.volumes.read(volume_name), f"volume {volume_name}")
    on_schema = [*ON_SCHEMA, *(["CREATE_VOLUME"] if volume is None else [])]
    yield _rights(workspace, me, "schema", full, schema.owner, on_schema)
    if volume is None:
        yield Finding("volume", "ok", f"{volume_name} is made by the next deploy")
    else:
        yield _rights(workspace, me, "volume", volume_name, volume.owner, ON_VOLUME)


def _rights(
    workspace: WorkspaceClient,
    me: User,
    kind: str,
    name: str,
    owner: str | None,
    needed: Iterable[str],
) -> Finding:
    """Whether who asks holds the privileges, as an owner or by grants, inherited ones included."""
    if owner in (me.user_name, *groups_of(me)):
        return Finding(kind, "ok", f"{name} is owned by {owner}")
    missing = lacking(workspace, me, kind, name, needed)
    if not missing:
        return Finding(kind, "ok", f"{name}: {me.user_name} may do what is needed")
    told = ", ".join(missing).replace("_", " ")
    return Finding(
        kind, "wrong", f"{me.user_name} lacks {told} on {name}",
        f"GRANT {told} ON {kind.upper()} {name} TO `{me.user_name}`",
        f"{owner or 'the owner'}, or who has MANAGE on {name}",
    )  # fmt: skip


def _profiling(workspace: WorkspaceClient, needs: Needs) -> Iterator[Finding]:
    """Whether the API that profiles tables answers; that there is no monitor is an answer, too."""
    if needs.profiling == "own":
        yield Finding("profiling", "ok", "tables are profiled by our own code")
    elif needs.profiling == "data_quality":
        ask_for = partial(workspace.data_quality.get_monitor, "table", NO_TABLE)
        yield from _answers(lambda: _or_none(ask_for), "profiling", "data profiling")
    else:
        table = f"{needs.catalog}.{needs.schema}.recommendations"
        ask_for = partial(workspace.quality_monitors.get, table)
        yield from _answers(lambda: _or_none(ask_for), "profiling", "data profiling")


def _answers(call: Callable[[], Any], check: str, product: str) -> Iterator[Finding]:
    """Whether a product of the workspace answers at all."""
    from databricks.sdk.errors import BadRequest, NotFound, NotImplemented, PermissionDenied

    refusals = (BadRequest, NotFound, NotImplemented, PermissionDenied)
    try:
        ask(call, product, "workspace access", passing=refusals)
    except refusals as error:
        yield Finding(
            check, "wrong", f"{product} can't be used: {error}",
            "enable it for the workspace (not every region has it)", "workspace or account admin",
        )  # fmt: skip
    else:
        yield Finding(check, "ok", f"{product} answers")


def _or_none(call: Callable[[], Any]) -> Any:
    """That a table has no monitor yet, or is not there, is an answer, too; no such API is none."""
    from databricks.sdk.errors import NotFound

    try:
        return call()
    except NotFound as error:
        if error.error_code in NO_API:
            raise
        return None


def _get(call: Callable[[], Any], what: str) -> Any:
    """A thing of the workspace, or None where it is not there."""
    return look(call, what, f"BROWSE or USE on {what}")
