"""The way in: check, prepare, run under signals, and hand back the record."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from nextbest.bundle.graph import Bundle, ForEachTask, Job, NotebookTask, RunJobTask
from nextbest.errors import RunError, UsageError
from nextbest.platforms.local.environment import environment
from nextbest.platforms.releases import COMMIT
from nextbest.runner import redacted, secrets, states, store
from nextbest.runner.cancel import Cancel
from nextbest.runner.context import Shared
from nextbest.runner.execute import repair_run, start_run
from nextbest.runner.preflight import check
from nextbest.runner.process import ForkServer
from nextbest.runner.record import RunRecord
from nextbest.runner.server import PRELOAD
from nextbest.runner.tree import showing

PRELOAD_VARIABLE = "NEXTBEST_PRELOAD"  # modules, separated by commas, instead of the usual ones


def preload() -> tuple[str, ...]:
    """Modules that the fork server imports before it forks."""
    chosen = os.environ.get(PRELOAD_VARIABLE)
    return PRELOAD if chosen is None else tuple(name for name in chosen.split(",") if name)


def run_job(
    bundle: Bundle,
    job_key: str,
    *,
    lakehouse: Path,
    parameters: Mapping[str, str],
    only: str | None = None,
    repair: str | None = None,
    progress: bool = True,
    server: ForkServer | None = None,
) -> RunRecord:
    """Run a job here, or one task of it (`only`), or what is left of a run (`repair`).

    `server` is a fork server started before; without one it is started here and ended after.
    Ctrl-C and SIGTERM cancel the run. Raises UsageError for names that don't exist and tasks that
    can't run locally, RunError when the job already runs or the record can't be used.
    """
    lakehouse = lakehouse.absolute()
    job = check(bundle, job_key, parameters, only)
    before = None if repair is None else _to_repair(lakehouse, bundle, job, repair)
    with ExitStack() as held:
        if server is None:
            server = ForkServer(preload())
            held.callback(server.close)
        observe = held.enter_context(showing(progress))
        cancel = held.enter_context(Cancel())
        commit = _git_commit(bundle.root)
        shared = Shared(
            bundle=bundle,
            lakehouse=lakehouse,
            server=server,
            slots=threading.BoundedSemaphore(max(2, os.cpu_count() or 2)),
            environment={
                **secrets.variables(os.environ),
                **environment(lakehouse),
                **({COMMIT: commit} if commit else {}),
            },
            platform="local",
            schemas=_schemas(bundle),
            hidden=secrets.known(os.environ, (*parameters.values(), *_texts(bundle))),
            observe=observe,
            git_commit=commit,
        )

        def work() -> RunRecord:
            if before is not None:
                return repair_run(shared, job, before, cancel)
            return start_run(shared, job, parameters, cancel, only=only)

        return redacted.run(_under_signals(work, cancel), shared.hidden)


def _to_repair(lakehouse: Path, bundle: Bundle, job: Job, prefix: str) -> RunRecord:
    record = store.load(lakehouse, store.find(lakehouse, prefix))
    if (record.job_key, record.target) != (job.key, bundle.target):
        raise UsageError(
            f"run {record.run_id} is one of job '{record.job_key}' on target '{record.target}', "
            f"not of '{job.key}' on '{bundle.target}'"
        )
    if lost := redacted.unknown_parameters(record):
        raise RunError(
            f"run {record.run_id} was given a secret in {', '.join(map(repr, lost))}, which its "
            "record does not keep: start a new run"
        )
    return record


def _texts(bundle: Bundle) -> Iterator[str]:
    """What the bundle itself passes to tasks."""
    for job in bundle.jobs.values():
        yield from (parameter.default for parameter in job.parameters)
        for task in job.tasks:
            spec = task.spec.task.spec if isinstance(task.spec, ForEachTask) else task.spec
            if isinstance(spec, NotebookTask):
                yield from spec.base_parameters.values()
            elif isinstance(spec, RunJobTask):
                yield from spec.job_parameters.values()


def _schemas(bundle: Bundle) -> tuple[str, ...]:
    """The schemas the target declares: where its tables can be."""
    declared = bundle.resources.get("schemas", {}).values()
    return tuple(f"{s['catalog_name']}.{s['name']}" for s in declared) or ("main.default",)


def _git_commit(root: Path) -> str | None:
    if shutil.which("git") is None:
        return None
    asked = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
    )
    return asked.stdout.strip() or None


def _under_signals(work: Callable[[], RunRecord], cancel: Cancel) -> RunRecord:
    """Do the work in a thread, so that this one is free to hear signals."""

    def stop(number: int, frame: FrameType | None) -> None:
        cancel.set(states.CANCELED, f"stopped by {signal.Signals(number).name}")

    with _handling(stop), ThreadPoolExecutor(1, "run") as pool:
        future = pool.submit(work)
        while not wait([future], timeout=0.5).done:
            pass  # woken up to hear signals
        return future.result()


@contextmanager
def _handling(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
