"""run_job tasks: a child run with a record of its own."""

from __future__ import annotations

from dataclasses import replace

from nextbest.bundle.graph import RunJobTask, Task
from nextbest.runner import states, store
from nextbest.runner.cancel import Cancel
from nextbest.runner.context import Done, Place, Run
from nextbest.runner.deadline import deadline
from nextbest.runner.execute import repair_run, start_run
from nextbest.runner.record import RunRecord, TaskError
from nextbest.runner.references import Scope, substitute


def run_child(run: Run, task: Task, place: Place, scope: Scope) -> Done:
    """Run the other job: this job's parameters of the same names, then job_parameters.

    A child run that an earlier, repaired run left unfinished is repaired when it would get the
    same parameters; one that passed is not run again.
    """
    spec = task.spec
    assert isinstance(spec, RunJobTask)
    job = run.shared.bundle.jobs[spec.job_key]
    names = {p.name for p in job.parameters}
    given = {name: text for name, text in (scope.parameters or {}).items() if name in names}
    given |= {name: substitute(text, scope) for name, text in spec.job_parameters.items()}
    place.change(lambda t: replace(t, parameters=given))
    with Cancel(run.cancel) as cancel, deadline(cancel, task.timeout_seconds, task):
        left = _unfinished(run, place, given)
        if left is not None and left.state in states.PASSED:
            child = left
        elif left is not None:
            child = repair_run(run.shared, job, left, cancel)
        else:
            child = start_run(
                run.shared,
                job,
                given,
                cancel,
                parent=scope.run_id,
                began=lambda run_id: place.change(lambda t: replace(t, child_run_id=run_id)),
            )
        stopped, reason = cancel.state, cancel.reason
    if stopped is not None:
        return Done(stopped, TaskError("Stopped", reason, str(task.location)))
    if child.state in states.PASSED:
        return Done(states.SUCCESS)
    return Done(states.FAILED, TaskError("RunFailed", _why(child), str(task.location)))


def _unfinished(run: Run, place: Place, given: dict[str, str]) -> RunRecord | None:
    run_id = place.get().child_run_id
    if run_id is None or run_id not in store.run_ids(run.shared.lakehouse):
        return None
    record = store.load(run.shared.lakehouse, run_id)
    same = all(record.parameters.get(name) == text for name, text in given.items())
    return record if same else None


def _why(child: RunRecord) -> str:
    failed = [f"{t.key} ({t.error})" for t in child.tasks if t.error is not None]
    return f"run {child.run_id} of job '{child.job_key}' ended {child.state}: " + (
        "; ".join(failed) or child.error or "see its page"
    )
