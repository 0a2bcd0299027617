"""`dbb inspect-log`: a mapping proposed for a log, or a given one, tried on all of it."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import yaml

from nextbest.commands.log_file import open_source
from nextbest.commands.log_sample import Sampled, draw_sample
from nextbest.commands.progress import progress
from nextbest.data.own_log.actions import read_actions
from nextbest.data.own_log.dialects import decimal_of, sniff
from nextbest.data.own_log.files import Dialect, Rows, columns_of, flat, format_of, holding, read
from nextbest.data.own_log.lacking import check_columns, check_ids
from nextbest.data.own_log.proposal import Proposal
from nextbest.data.own_log.propose import propose
from nextbest.data.own_log.reading import mapping_from, read_mapping
from nextbest.data.own_log.trial import Tried, try_mapping
from nextbest.errors import DataError, UsageError
from nextbest.platforms.local.environment import chosen_lakehouse

SAMPLE = 20_000  # rows that a mapping is proposed from
TOLERATED = 0.01  # share of rows that may be rejected before it is a fault of the mapping

Batches = Callable[[list[str] | None], Iterator[Rows]]


def inspect_log(args: argparse.Namespace) -> int:
    """Inspect a log; `args` as commands.declared defines them for `inspect-log`.

    Returns 0 when the proposed (or given) mapping ingests and off-policy evaluation has what it
    needs, 1 when it lacks something (told). Raises UsageError (exit code 2) for what can't be read.
    """
    if args.mapping:
        return _try_given(args)
    if args.sample < 1:
        raise UsageError(f"--sample is {args.sample}; give a number of rows of at least 1")
    try:
        dialect, remarks, doubts, batches = _opened(args)
        with progress("rows read to draw a sample") as seen:
            sampled = draw_sample(batches(None), args.sample, not args.only_sample, seen)
        sample = sampled.rows
        if not sample.num_rows:
            raise UsageError(f"{args.log}: the log is empty: it has no row that can be read")
        decimal, written = decimal_of(sample, dialect.delimiter)
        dialect = replace(dialect, decimal=decimal)
        made = propose(sample, dialect)
        made.unsure[:0] = doubts
        made.unsure += written
        if args.only_sample and sample.num_rows == args.sample:
            made.unsure.append(
                f"only the first {sample.num_rows:,} rows were looked at: a log that is sorted may "
                "hold other things further down; leave --only-sample out to see all of it"
            )
        made.found[:0] = remarks
        text = _as_yaml(args.log, made)
        tried = None
        if "?" not in _texts(made.mapping):
            with progress("rows tried") as seen:
                tried = _tried(text, batches, Path(args.log).stem, args.only_sample, sample, seen)
            _judge(made, tried)
        text = _as_yaml(args.log, made)
    except DataError as error:
        raise UsageError(str(error)) from error
    if args.write:
        _write(Path(args.write), text)
    if args.json:
        print(_as_json(args.log, made, tried, sample.num_rows))
    else:
        _print(args, made, tried, sampled)
    return 1 if made.missing else 0


def _try_given(args: argparse.Namespace) -> int:
    """Try a mapping that somebody edited."""
    if args.write or args.only_sample:
        raise UsageError("--mapping is tried on all of the log: without --write, --only-sample")
    path = Path(args.log)
    made = Proposal()
    try:
        mapping = read_mapping(Path(args.mapping))
        read_actions(mapping, pd.DataFrame(columns=["treatment", "action_id", "channel"]))
        dialect, _, _, batches = _opened(args, mapping.dialect)
        mapping = replace(mapping, dialect=dialect)
        if dialect.format == "delta":
            check_ids(mapping, args.log)
            first = next(batches(None), None)
            names = () if first is None else tuple(first.columns.column_names)
        else:
            names = columns_of(path, dialect)
        if names is not None:  # JSON's lines tell at their end
            check_columns(names, mapping, args.log)
        with progress("rows tried") as seen:
            tried = try_mapping(batches(list(mapping.columns)), mapping, path.stem, seen)
    except DataError as error:
        raise UsageError(str(error)) from error
    if not tried.rows:
        raise UsageError(f"{args.log}: the log is empty: it has no row that can be read")
    if mapping.propensity.how == "unknown":
        made.missing.append(
            "the propensity: it is unknown, and no other policy can be valued without"
        )
    _judge(made, tried)
    if args.json:
        print(_as_json(args.log, made, tried, 0))
    else:
        print(f"{args.log}: by {args.mapping}\n")
        _print_lists((("Missing", made.missing),))
        _print_tried(tried)
        _print_ready(args.log, args.mapping, made)
    return 1 if made.missing else 0


def _opened(
    args: argparse.Namespace, given: Dialect | None = None
) -> tuple[Dialect, list[str], list[str], Batches]:
    """The log's dialect, what is remarkable or in doubt, and its rows as often as asked for."""
    path = Path(args.log)
    kind = format_of(path) if path.exists() else None
    if kind == "parquet":
        dialect = replace(given or Dialect(), format="parquet")
        return dialect, [], [], lambda columns: read(path, dialect, columns)
    if path.is_file() and given is not None:
        return given, [], [], lambda columns: read(path, given, columns)
    if path.is_file():
        with progress("bytes looked at") as seen:
            dialect, remarks, doubts = sniff(path, seen)
        return dialect, remarks, doubts, lambda columns: read(path, dialect, columns)
    lakehouse = chosen_lakehouse(args.lakehouse, Path()) if args.local else None
    source = open_source(args.log, lakehouse)
    names = source.columns

    def batches(columns: list[str] | None) -> Iterator[Rows]:
        first = 1
        for batch in source.batches(names if columns is None else holding(names, columns)):
            yield Rows(flat(pa.table(batch)), first)
            first += batch.num_rows

    return replace(given or Dialect(), format=source.format), [], [], batches


def _tried(
    text: str,
    batches: Batches,
    log: str,
    only_sample: bool,
    sample: pa.Table,
    seen: Callable[[int], None],
) -> Tried:
    mapping = mapping_from(text, "the proposed mapping")
    rows = iter([Rows(sample, 1)]) if only_sample else batches(list(mapping.columns))
    return try_mapping(rows, mapping, log, seen)


def _judge(made: Proposal, tried: Tried) -> None:
    """What the whole log says of the mapping."""
    if tried.share > TOLERATED:
        made.missing.append(
            f"a mapping that reads the log: {tried.rejected:,} of {tried.rows:,} rows would be "
            f"rejected ({tried.share:.1%}), for the reasons below"
        )
    if len(tried.treatments) == 1:
        made.missing.append(
            "a choice: the whole log has one treatment, so there is none to compare"
        )
    for kind, count in tried.rewarded.items():
        if not count:
            made.missing.append(f"an outcome: {kind} never happens in the log")
    if tried.first is not None and tried.first.date() == tried.last.date():
        made.missing.append(
            f"time: all decisions are of {tried.first:%Y-%m-%d}, and learning needs an earlier "
            "and a later day; if all rows were drawn alike, write decided_at: {dealt_from: "
            f"{tried.first:%Y-%m-%d}, days: 14}}"
        )


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [str(value)]


def _as_yaml(log: str, made: Proposal) -> str:
    """The mapping as a file, with what to look at above it."""
    lines = [f"# Proposed by `dbb inspect-log {Path(log).name}`: read it before you use it."]
    for title, told in (("Missing", made.missing), ("Unsure", made.unsure)):
        lines += [line for each in told for line in _comment(f"{title}: {each}")]
    return "\n".join([*lines, _body(made)])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="# ", subsequent_indent="#   ")


def _body(made: Proposal) -> str:
    return yaml.safe_dump(
        made.mapping, sort_keys=False, allow_unicode=True, width=96, default_flow_style=None
    )


def _write(path: Path, text: str) -> None:
    if path.exists():
        raise UsageError(f"--write {path}: it is there already; name another file, or remove it")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--write {path}: can't be written: {error}") from error


def _as_json(log: str, made: Proposal, tried: Tried | None, sampled: int) -> str:
    told = {
        "log": log,
        "ready": not made.missing,
        "sampled": sampled,
        "rows": None if tried is None else tried.rows,
        "rejected": None if tried is None else tried.rejected,
        "reasons": {} if tried is None else dict(tried.reasons),
        "mapping": made.mapping,
        **{name: getattr(made, name) for name in ("found", "unsure", "missing", "left_out")},
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _print(args: argparse.Namespace, made: Proposal, tried: Tried | None, sampled: Sampled) -> None:
    print(f"{args.log}: a mapping from {sampled.told}\n")
    print(_body(made) if not args.write else f"written to {args.write}\n")
    _print_lists(
        (
            ("Found", made.found), ("Unsure, so look", made.unsure),
            ("Left out", made.left_out), ("Missing", made.missing),
        )
    )  # fmt: skip
    if tried is not None:
        _print_tried(tried)
    _print_ready(args.log, args.write or "MAPPING.yml", made)


def _print_lists(lists: Iterable[tuple[str, list[str]]]) -> None:
    for title, told in lists:
        if told:
            print(f"{title}:")
            shown = told if title != "Left out" else told[:8]
            print("\n".join(f"  - {each}" for each in shown))
            if len(shown) < len(told):
                print(f"  - and {len(told) - len(shown)} more (--json tells all)")


def _print_tried(tried: Tried) -> None:
    print(f"Tried on {tried.rows:,} rows: {tried.rejected:,} would be rejected.")
    print("".join(f"  - {each}\n" for each in islice(tried.told(), 20)), end="")
    if tried.first is not None:
        print(f"  decisions from {tried.first:%Y-%m-%d} to {tried.last:%Y-%m-%d}, "
              f"{len(tried.treatments):,} treatments")  # fmt: skip


def _print_ready(log: str, mapping: str, made: Proposal) -> None:
    if not made.missing:
        print("Ready: dbb run lifecycle_job --local --params "
              f"source={log},mapping={mapping}")  # fmt: skip
