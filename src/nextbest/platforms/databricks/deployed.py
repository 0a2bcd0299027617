"""The resources of a bundle's target, looked for in the workspace by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nextbest.platforms.databricks import jobs
from nextbest.platforms.databricks.asking import ask, look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

KINDS = {
    "schemas": "schema",
    "volumes": "volume",
    "registered_models": "model",
    "experiments": "experiment",
    "secret_scopes": "secret scope",
    "jobs": "job",
    "alerts": "alert",
    "dashboards": "dashboard",
}  # groups of the bundle that are looked for; each after what it needs
_TRIGGERS = ("schedule", "trigger", "continuous")
_TOLD = ("pause_status", "quartz_cron_expression", "timezone_id")


@dataclass(frozen=True)
class Resource:
    """A resource as the bundle declares it.

    name: its full name in the workspace; triggers: of a job, what starts it and whether that is
    paused.
    """

    group: str
    key: str
    name: str
    triggers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{KINDS.get(self.group, self.group)} {self.name}"


def resource(group: str, key: str, config: Mapping[str, Any]) -> Resource:
    """A resource from its configuration in the bundle, after presets."""
    name = str(config.get("name") or config.get("display_name") or key)
    if group == "schemas":
        name = f"{config['catalog_name']}.{name}"
    elif group in ("volumes", "registered_models"):
        name = f"{config['catalog_name']}.{config['schema_name']}.{name}"
    elif group == "experiments":
        name = name.removeprefix("/Workspace")  # the workspace leaves it out
    elif group == "dashboards":
        name = f"{config['parent_path']}/{config['display_name']}"
    triggers = {each: config[each] for each in _TRIGGERS if config.get(each)}
    return Resource(group, key, name, triggers if group == "jobs" else {})


def ids(workspace: WorkspaceClient, wanted: Resource) -> list[str]:
    """The ids under which a resource of this name is there: none, one, or of jobs several."""
    name, what = wanted.name, str(wanted)
    if wanted.group == "jobs":
        return [str(each) for each in jobs.named(workspace, name)]
    if wanted.group == "schemas":
        found = look(lambda: workspace.schemas.get(name), what, f"USE SCHEMA on {name}")
        return [] if found is None else [name]
    if wanted.group == "volumes":
        found = look(lambda: workspace.volumes.read(name), what, f"READ VOLUME on {name}")
        return [] if found is None else [name]
    if wanted.group == "registered_models":
        found = look(lambda: workspace.registered_models.get(name), what, f"EXECUTE on {name}")
        return [] if found is None else [name]
    if wanted.group == "secret_scopes":
        scopes = ask(lambda: list(workspace.secrets.list_scopes()), what, "workspace access")
        return [name] if name in {each.name for each in scopes} else []
    if wanted.group == "alerts":
        alerts = workspace.alerts_v2
        found = ask(lambda: list(alerts.list_alerts()), what, "CAN VIEW on the alert")
        return [each.id for each in found if each.display_name == name and each.id]
    if wanted.group == "dashboards":
        return _dashboards(workspace, wanted)
    answer = look(lambda: workspace.experiments.get_by_name(name), what, "CAN READ on it")
    one = answer.experiment if answer else None
    return [one.experiment_id] if one is not None and one.lifecycle_stage == "active" else []


def _dashboards(workspace: WorkspaceClient, wanted: Resource) -> list[str]:
    """Its id where it stands in its folder: its name alone may be anybody's."""
    folder, _, name = wanted.name.rpartition("/")
    boards, what = workspace.lakeview, str(wanted)
    listed = ask(lambda: list(boards.list()), what, "Databricks SQL access")
    found = []
    for each in (each.dashboard_id for each in listed if each.display_name == name):
        right = "CAN READ on the dashboard"
        board = look(lambda number=each: boards.get(number), what, right)
        if board is not None and (board.parent_path or "").removeprefix("/Workspace") == (
            folder.removeprefix("/Workspace")
        ):
            found.append(each)
    return found


def strays(workspace: WorkspaceClient, wanted: Resource, metadata: str) -> list[str]:
    """Ids of what is there by this name, and would be in the way of creating it.

    Of jobs only those that this very deployment made, by the metadata file they name: it was cut
    off before it could note them, and would make them a second time.
    """
    found = ids(workspace, wanted)
    if wanted.group != "jobs":
        return found
    marks = [_settings(workspace, each, wanted).deployment for each in found]
    return [
        each
        for each, mark in zip(found, marks, strict=True)
        if mark is not None and mark.metadata_file_path == metadata
    ]


def differences(workspace: WorkspaceClient, wanted: Resource) -> Iterator[str]:
    """What is not as the bundle says, and how to mend it."""
    found = ids(workspace, wanted)
    if not found:
        yield f"{wanted} is not there, or hidden from who asks: deploy again, or ask for its rights"
    elif len(found) > 1:
        yield f"{wanted} is there {len(found)} times (ids {', '.join(found)}): delete all but one"
    elif wanted.group == "jobs":
        settings = _settings(workspace, found[0], wanted)
        for trigger in _TRIGGERS:
            said = _words(wanted.triggers.get(trigger) or {})
            holds = _words(getattr(settings, trigger).as_dict() if getattr(settings, trigger)
                           else {})  # fmt: skip
            if said != holds:
                yield (
                    f"{wanted}: its {trigger} is {_shown(holds)}, the bundle says {_shown(said)}: "
                    "deploy again, and leave it alone in the workspace"
                )


def _settings(workspace: WorkspaceClient, number: str, wanted: Resource) -> Any:
    job = ask(lambda: workspace.jobs.get(int(number)), str(wanted), "CAN VIEW on the job")
    return job.settings


def _words(trigger: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(trigger[name]) for name in _TOLD if trigger.get(name)}


def _shown(words: Mapping[str, str]) -> str:
    return ", ".join(words.values()) or "none"
