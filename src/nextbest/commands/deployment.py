"""A bundle's target as who deploys it sees it: its resources, and what YAML can't declare of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nextbest.bundle import Bundle
from nextbest.errors import BundleError
from nextbest.platforms.databricks import jobs, registered_models, stores, tags
from nextbest.platforms.databricks.deployed import KINDS, Resource, ids, resource, strays
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.databricks.online_store import CAPACITY, store_name
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings, slices_of

if TYPE_CHECKING:
    from nextbest.platforms.databricks.asking import WorkspaceClient

# What can be deleted and deployed again without a loss; all else is data.
STATELESS = frozenset({
    "jobs", "alerts", "dashboards", "model_serving_endpoints", "clusters",
    "sql_warehouses", "instance_pools",
})  # fmt: skip
SERVING, MONITORING, DEPLOYMENT = "serving_job", "monitoring_job", "deployment_job"


class Pending(NamedTuple):
    """Something that is not yet as it should be: what is done about it, and how."""

    told: str
    do: Callable[[], object]


@dataclass(frozen=True)
class Deployment:
    """One target of a bundle in one workspace."""

    bundle: Bundle
    workspace: WorkspaceClient

    @property
    def resources(self) -> list[Resource]:
        """What is looked for in the workspace, each after what it needs."""
        return [
            resource(group, key, config)
            for group in KINDS
            for key, config in (self.bundle.resources.get(group) or {}).items()
        ]

    def there(self) -> list[Resource]:
        """Those of the resources that the workspace has, by name."""
        return [each for each in self.resources if ids(self.workspace, each)]

    def strays(self, one: Resource) -> list[str]:
        """Ids of what is there under its name, and is this deployment's or in its way."""
        return strays(self.workspace, one, self.metadata)

    @property
    def others(self) -> list[str]:
        """Keys of resources that are not looked for."""
        groups = self.bundle.resources.items()
        return [f"{group}.{key}" for group, some in groups if group not in KINDS for key in some]

    @property
    def schemas(self) -> list[str]:
        """The schemas (catalog.schema) of the target."""
        return [each.name for each in self.resources if each.group == "schemas"]

    @property
    def metadata(self) -> str:
        """The file that each deployed job names as its deployment."""
        return f"{self.bundle.config['workspace']['state_path']}/metadata.json"

    def settings(self, job: str) -> Settings | None:
        """What a run of the job is told by default, or None where the bundle has no such job."""
        if job not in self.bundle.jobs:
            return None
        given = {each.name: each.default for each in self.bundle.jobs[job].parameters}
        return Settings.parse({**given, "as_of": "2000-01-01"})  # a day is known to a run only

    @property
    def store(self) -> str | None:
        """The online store of the schema that is served from."""
        known = self.settings(SERVING)
        return known and store_name(known.table("customer_features"))

    @property
    def endpoint(self) -> str | None:
        """The serving endpoint that notebook 08 makes."""
        known = self.settings(SERVING)
        return known and known.endpoint

    def pending(self, *, planned: bool = False) -> Iterator[Pending]:
        """What YAML can't declare and is not yet so: tags, online store, first monitor,
        the model's deployment job.

        planned: what is not there yet will be, by then.
        """
        wanted = self._wanted_tags()
        yield from self._tags(wanted)
        yield from self._model_tags(wanted, planned)
        name = self.store if self._makes_store() else None
        if name is not None and not stores.is_there(self.workspace, name):
            cost = f"{CAPACITY}; it costs money for as long as it is there"
            told = f"create online store {name} ({cost})"
            yield Pending(told, partial(stores.create, self.workspace, name))
        yield from self._monitor()
        yield from self._deployment_job()

    def _makes_store(self) -> bool:
        """What the variable `online_store` says: a deploy spends no money unasked."""
        said = str(self.bundle.variables.get("online_store", "false")).lower()
        if said not in ("true", "false"):
            raise BundleError(f"variable 'online_store' is '{said}': it is true or false")
        return said == "true"

    def _wanted_tags(self) -> dict[str, str]:
        given = (self.bundle.config.get("presets") or {}).get("tags") or {}
        # A development schema may be shared; the tag that tells whose a job is would change hands.
        return {key: str(value) for key, value in given.items() if key != "dev"}

    def _tags(self, wanted: Mapping[str, str]) -> Iterator[Pending]:
        for each in (each for each in self.resources if each.group in tags.TAGGED):
            lacking = tags.missing(self.workspace, each.group, each.name, wanted)
            for key, value in sorted(lacking.items()):
                put = partial(tags.put, self.workspace, each.group, each.name, key, value)
                yield Pending(f"tag {each} with {key}={value}", put)

    def _model_tags(self, wanted: Mapping[str, str], planned: bool) -> Iterator[Pending]:
        for model in self._models():
            found = registered_models.known(self.workspace, model)
            if found is None and not planned:  # told by the verification
                continue
            there = found.tags if found else {}
            for key, value in sorted(wanted.items()):
                if there.get(key) != value:
                    put = partial(registered_models.put_tag, self.workspace, model, key, value)
                    yield Pending(f"tag model {model} with {key}={value}", put)

    def _models(self) -> list[str]:
        """The registered models of the target."""
        return [each.name for each in self.resources if each.group == "registered_models"]

    def _monitor(self) -> Iterator[Pending]:
        """The monitor of tables that are there already; later ones monitoring_job makes."""
        known = self.settings(MONITORING)
        if known is None or known.profiling == "own":
            return
        monitor = live_monitor(known.table, slices=slices_of(known.monitor_slices))
        monitors = DatabricksMonitors(self.workspace, known.profiling)
        if monitors.can_watch(monitor) and not monitors.there(monitor.table):
            yield Pending(
                f"create the monitor of {monitor.table}", partial(monitors.make_first, monitor)
            )

    def _deployment_job(self) -> Iterator[Pending]:
        """The job that judges, lets approve and releases each new version of a model."""
        if DEPLOYMENT not in self.bundle.jobs:
            return
        there = jobs.named(self.workspace, self.bundle.jobs[DEPLOYMENT].name)
        if len(there) != 1:  # not deployed yet, or told by the verification
            return
        job = str(there[0])
        for model in self._models():
            found = registered_models.known(self.workspace, model)
            if found is not None and found.deployment_job_id != job:
                connect = partial(
                    registered_models.connect_deployment_job, self.workspace, model, job
                )
                yield Pending(f"connect {DEPLOYMENT} to {model}", connect)
