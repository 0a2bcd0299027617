"""The verdict that a promotion takes: the one that is recorded, or one given now."""

from __future__ import annotations

from collections.abc import Callable

from nextbest.commands.releasing import Place
from nextbest.commands.run_progress import telling
from nextbest.errors import DataError, RunError
from nextbest.registry.ledger import CHAMPION
from nextbest.registry.releasing import NotReleased, lacking
from nextbest.registry.verdicts import Recorded, recorded_verdict

JOB, EVALUATION = "deployment_job", "evaluation"


def judged(
    place: Place, version: str, *, judge: bool, tell: Callable[[str], None]
) -> Recorded | None:
    """The whole verdict on a version against today's champion, of the day; given now if need be.

    Here it is given in this process; in a workspace the task `evaluation` of deployment_job gives
    it, and is awaited. Without `judge` it is None where one would have to be given. Raises
    NotReleased when there is none even then.
    """
    model, as_of = place.settings.model, place.settings.as_of
    champion = place.releases.aliases.of(model).get(CHAMPION)
    recorded = recorded_verdict(model, version)
    problem = lacking(recorded, version, champion, as_of)
    if problem is None:
        _load(place, version)
        return recorded
    if not judge:
        tell(f"{model} version {version} would be judged first: {problem}")
        return None
    tell(f"{model} version {version}: {problem}; it is judged now")
    (_here if place.workspace is None else _there)(place, version)
    recorded = recorded_verdict(model, version)
    champion = place.releases.aliases.of(model).get(CHAMPION)
    if problem := lacking(recorded, version, champion, as_of):
        raise NotReleased(f"{model} version {version} was judged, and still {problem}")
    return recorded


def _here(place: Place, version: str) -> None:
    settings = place.settings
    schema = f"{settings.catalog}.{settings.schema}"
    if not (place.lakehouse / settings.catalog / settings.schema / "decisions").is_dir():
        raise DataError(
            f"no decisions of {schema} in {place.lakehouse}, so version {version} can't be judged "
            f"there: `dbb run data_pipeline_job -t {place.bundle.target} --local` makes them"
        )
    _load(place, version)
    from nextbest.lifecycle.validation import judge_version
    from nextbest.platforms.local.session import open_session

    judge_version(settings, open_session(place.lakehouse, [schema]), version)


def _there(place: Place, version: str) -> None:
    from nextbest.platforms.databricks import jobs

    if JOB not in place.bundle.jobs:
        raise RunError(f"the bundle has no {JOB}, whose task {EVALUATION} would judge the version")
    job = jobs.find(place.workspace, place.bundle.jobs[JOB].name)
    given = {"model_version": version, "as_of": place.settings.as_of.isoformat()}
    number = jobs.start(place.workspace, job, given, EVALUATION)

    with telling(number, JOB, tasks=False) as seen:  # stdout is for what promote-model says
        ended = jobs.follow(place.workspace, number, seen)
    if ended.state not in jobs.PASSED:
        told = "; ".join(task.error for task in ended.tasks if task.error) or ended.message
        raise NotReleased(f"{JOB}, run {number}: {ended.state} ({told}); see {ended.url}")


def _load(place: Place, version: str) -> None:
    """A version whose files can't be loaded is refused; in a workspace the evaluation loads it."""
    if place.workspace is None:
        from nextbest.registry.artifacts import load_whole

        load_whole(place.settings.model, version)
