"""`dbb promote-model`: a version on evidence to an alias, by force, or one step back."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable

from nextbest.commands.judging import judged
from nextbest.commands.releasing import Place, open_place
from nextbest.errors import DataError, UsageError
from nextbest.platforms.releases import Step
from nextbest.registry.ledger import CHAMPION, refused
from nextbest.registry.promotion import follow
from nextbest.registry.releasing import force, release, roll_back, step_back

ORDER = ("candidate", "staging", "champion")


def promote_model(args: argparse.Namespace) -> int:
    """Promote args.model, or roll it back; args as commands.declared defines them.

    Returns 0 when the alias is where it was asked to be, 1 when it was refused. Raises UsageError
    for flags that don't go together; NotReleased without evidence; PromotionLost when somebody
    else was first.
    """
    _check(args)
    place = open_place(args)
    if args.rollback:
        return _back(args, place)
    model, releases = place.settings.model, place.releases
    version, from_alias = _version(args, place)
    if place.source is not None:
        version = _copied(args, place, version)
        if version is None:
            return 0
    at = releases.aliases.of(model).get(args.to_alias)
    if at == version:
        return _tell(args, place, None, f"version {version} is {args.to_alias} already")
    if problem := releases.aliases.missing(model, version):
        raise DataError(f"{model} version {version}: {problem}; no alias was moved")
    if args.force:
        return _forced(args, place, version, from_alias)
    recorded = judged(place, version, judge=not args.dry_run, tell=_say(args))
    if args.dry_run:
        why = refused(
            releases.ledger.steps(model), version, place.settings.as_of,
            recorded.holdout if recorded else "",
        )  # fmt: skip
        no = why or (recorded and not recorded.passed and recorded.text)
        told = f"would be refused: {no}" if no else f"would replace {_words(at)}"
        _tell(args, place, None, f"version {version} as {args.to_alias}: {told} (--dry-run)")
        return 1 if no else 0
    with releases.ledger.alone(model):
        done = release(
            releases, model, version, args.to_alias, recorded,
            from_alias=from_alias, reason=args.reason or "", commit=place.commit,
        )  # fmt: skip
        return _follow(args, place, done, f"version {version} is {args.to_alias}")


def _check(args: argparse.Namespace) -> None:
    given = [name for name in ("from_alias", "version", "force") if getattr(args, name)]
    if args.rollback and (given or args.to_alias != CHAMPION):
        raise UsageError("--rollback takes no --from, --to, --version and no --force: it is a step")
    if args.to_alias not in ORDER[1:]:
        raise UsageError(f"--to {args.to_alias}: it is {' or '.join(ORDER[1:])}")
    before = ORDER[: ORDER.index(args.to_alias)]
    if args.from_alias and args.from_alias not in before:
        raise UsageError(f"--from {args.from_alias}: before {args.to_alias} is {', '.join(before)}")
    if args.from_alias and args.version:
        raise UsageError("--from and --version both say which version: give one of them")
    if args.force and not (args.reason or "").strip():
        raise UsageError("--force leaves its reason for ever: add --reason TEXT")
    if args.version and not args.version.isdigit():
        raise UsageError(f"--version {args.version}: it is a number")


def _version(args: argparse.Namespace, place: Place) -> tuple[str, str | None]:
    """The version that was asked for, and the alias that it was found by."""
    if args.version:
        return args.version, None
    model = place.source or place.settings.model
    alias = args.from_alias or ORDER[ORDER.index(args.to_alias) - 1]
    aliases = place.releases.aliases.of(model)
    if alias not in aliases:
        there = ", ".join(f"{name} (version {at})" for name, at in sorted(aliases.items()))
        raise DataError(
            f"{model} has no {alias}: it has {there or 'no alias at all'}; run training_job, or "
            "name one by --from ALIAS or --version N"
        )
    return aliases[alias], alias


def _copied(args: argparse.Namespace, place: Place, version: str) -> str | None:
    """The version of the target that is the copy of another target's; None for a dry run."""
    from nextbest.registry.copying import copy_of, copy_version

    source, model = place.source, place.settings.model
    if problem := place.releases.aliases.missing(source, version):
        raise DataError(f"{source} version {version}: {problem}; nothing was copied")
    if args.dry_run and copy_of(source, version, model) is None:
        _tell(args, place, None,
              f"would copy {source} version {version}, and judge it here (--dry-run)")  # fmt: skip
        return None
    copy = copy_version(source, version, model)
    _say(args)(f"{source} version {version} is version {copy} of {model}")
    return copy


def _forced(args: argparse.Namespace, place: Place, version: str, from_alias: str | None) -> int:
    from nextbest import registry

    model, releases = place.settings.model, place.releases
    if args.dry_run:
        told = f"would be {args.to_alias} by force (--dry-run)"
        return _tell(args, place, None, f"version {version} {told}")
    recorded = registry.recorded_verdict(model, version)
    with releases.ledger.alone(model):
        registry.tag_forced(model, version, args.to_alias, releases.who(), args.reason)
        done = force(
            releases, model, version, args.to_alias, recorded,
            from_alias=from_alias, reason=args.reason, commit=place.commit,
        )  # fmt: skip
        return _follow(args, place, done, f"version {version} is {args.to_alias}, by force")


def _back(args: argparse.Namespace, place: Place) -> int:
    model, releases, as_of = place.settings.model, place.releases, place.settings.as_of
    given = {"reason": args.reason or "", "commit": place.commit}
    with releases.ledger.alone(model):
        if args.dry_run:
            order = step_back(releases, model, as_of)
            told = f"version {order.version} would replace version {order.expected} (--dry-run)"
            return _tell(args, place, None, told)
        done = roll_back(releases, model, as_of, **given)
        told = f"version {done.version} is champion again, version {done.previous_version} is not"
        return _follow(args, place, done, told)


def _follow(args: argparse.Namespace, place: Place, done: Step | None, told: str) -> int:
    """Let the endpoint follow a new champion; what happened, in words."""
    if args.to_alias != CHAMPION:
        return _tell(args, place, done, told)
    endpoint = place.settings.endpoint
    if place.workspace is not None:
        _say(args)(f"{told}; where endpoint {endpoint} is another version, it takes minutes")
    moved = follow(place.releases, place.settings.model, endpoint)
    served = f"; endpoint {endpoint} answers by version {moved}" if moved else ""
    return _tell(args, place, done, f"{told}{served}", endpoint if moved else None)


def _tell(
    args: argparse.Namespace,
    place: Place,
    done: Step | None,
    told: str,
    endpoint: str | None = None,
) -> int:
    if args.json:
        row = None if done is None else dataclasses.asdict(done)
        answer = {"model": place.settings.model, "told": told, "moved": row, "endpoint": endpoint}
        print(json.dumps(answer, indent=2, default=str))
    else:
        print(f"{place.settings.model}: {told}")
    return 0


def _say(args: argparse.Namespace) -> Callable[[str], None]:
    """Progress goes to stderr: with --json, stdout is one object."""
    return lambda text: print(text, file=sys.stderr, flush=True)


def _words(version: str | None) -> str:
    return f"version {version}" if version else "none"
