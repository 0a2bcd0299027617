"""Random training sets: feature tables, spines, lookups, functions, wrong ones among them.

Everything is plain data, so that it goes to both engines: frames as Arrow tables, lookups and
functions as the keyword arguments of nextbest.platforms.Lookup and FeatureFunction.
"""

from __future__ import annotations

import datetime as dt
import decimal
import random
from dataclasses import dataclass, field

import pyarrow as pa

STAMP = pa.timestamp("us", "UTC")
TYPES = {
    "bigint": pa.int64(), "int": pa.int32(), "smallint": pa.int16(), "string": pa.string(),
    "double": pa.float64(), "float": pa.float32(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": STAMP, "decimal": pa.decimal128(10, 2), "array": pa.list_(pa.int64()),
}  # fmt: skip
FEATURES = ("double", "double", "bigint", "int", "string", "boolean", "float", "smallint",
            "timestamp", "date", "decimal", "array")  # fmt: skip
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
STEP = dt.timedelta(hours=6)
SPINE = {
    "who": "string", "number": "bigint", "small": "int", "day": "date", "at": "timestamp",
    "then": "timestamp", "y": "double", "z": "bigint", "ratio": "double", "flag": "boolean",
}  # fmt: skip


def total(a: int, b: float) -> float:
    """Null when either is."""
    return None if a is None or b is None else a + b


def shout(text: str) -> str:
    """Never null, so a default must come after it."""
    return "?" if text is None else text.upper() + "!"


def opposite(flag: bool) -> bool:
    return None if flag is None else not flag


def nothing_taken() -> int:
    return 7


FUNCTIONS = (total, shout, opposite, nothing_taken)


@dataclass(frozen=True)
class Table:
    name: str
    keys: tuple[str, ...]
    timestamp: str | None
    kinds: dict[str, str]
    rows: pa.Table


@dataclass(frozen=True)
class Case:
    spine: pa.Table
    lookups: list[dict]
    functions: list[dict] = field(default_factory=list)
    label: str | list[str] | None = None
    exclude: list[str] = field(default_factory=list)


def value(rng: random.Random, kind: str, nulls: float = 0.15):
    """A value of few, so that keys meet, times coincide and edges are hit."""
    if rng.random() < nulls:
        return None
    n = rng.randrange(4)
    if kind in ("bigint", "int", "smallint"):
        return n
    if kind == "string":
        return ("a", "b", "", "Ä b")[n]
    if kind in ("double", "float"):
        return (0.5, -1.25, float("nan"), 3.0)[n]
    if kind == "boolean":
        return n % 2 == 0
    if kind == "date":
        return (START + dt.timedelta(days=n)).date()
    if kind == "timestamp":
        odd = rng.choice([0, 0, 0, 1, 999_999, 123_457])
        return START + STEP * rng.randrange(16) + dt.timedelta(microseconds=odd)
    if kind == "decimal":
        return decimal.Decimal(n) / 4
    return [n, None][: rng.randrange(3)]


def table(rng: random.Random, name: str) -> Table:
    """A feature table: rows are unique by key and time, neither of which is null."""
    kinds = ["string", "bigint", "int", "date"]
    keys = {f"k{at}": kind for at, kind in enumerate(rng.sample(kinds, rng.choice([1, 1, 2])))}
    stamp = rng.choice(["timestamp", "timestamp", "timestamp", "date", None])
    names = rng.sample(["x", "y", "u", "v", "a name", "w"], rng.randint(1, 4))
    columns = {name: rng.choice(FEATURES) for name in names}
    identity = {**keys, **({"as_of": stamp} if stamp else {})}
    rows = {}
    for _ in range(rng.choice([0, 3, 12, 25])):
        key = tuple(value(rng, kind, nulls=0) for kind in identity.values())
        rows[key] = [value(rng, kind) for kind in columns.values()]
    every = {**identity, **columns}
    values = [[[*key, *features][at] for key, features in rows.items()] for at in range(len(every))]
    arrays = [
        pa.array(column, TYPES[kind]) for column, kind in zip(values, every.values(), strict=True)
    ]
    return Table(
        f"juan_dev.ml_nba_demo_dev.{name}", tuple(keys), "as_of" if stamp else None,
        every, pa.table(arrays, names=list(every)),
    )  # fmt: skip


def spine(rng: random.Random, wanted: list[str]) -> pa.Table:
    names = [
        name
        for name in SPINE
        if name in ("who", "number", "small", "day", "at") or rng.random() < 0.8
    ]
    names += [name for name in wanted if rng.random() < 0.04]  # these override features
    n = rng.choice([0, 1, 6, 20])
    kinds = {name: SPINE.get(name) or rng.choice(FEATURES) for name in dict.fromkeys(names)}
    rows = [[value(rng, kind, nulls=0.08) for kind in kinds.values()] for _ in range(n)]
    rows += [row for row in rows if rng.random() < 0.2]
    arrays = [pa.array([row[at] for row in rows], TYPES[k]) for at, k in enumerate(kinds.values())]
    return pa.table(arrays, names=list(kinds))


def default(rng: random.Random, kind: str):
    fits = {
        "double": [0.1, -7, "2.5"], "float": [0.1, 3], "bigint": [5, "6"], "int": [5, "6"],
        "smallint": [5], "string": ["none", 3, ""], "boolean": [True, False, "TRUE"],
    }  # fmt: skip
    odd = ["none", 1.5, True, 10**12, None]
    return rng.choice(odd if rng.random() < 0.08 or kind not in fits else fits[kind])


def lookup(rng: random.Random, source: Table, columns: dict[str, str], late: list[str]) -> dict:
    """Mostly fitting; `late` are columns that another lookup gives."""
    keys = []
    for key in source.keys:
        fitting = [name for name, kind in columns.items() if kind == source.kinds[key]]
        usual = [name for name in fitting if name not in late] or fitting
        pool = fitting if rng.random() < 0.15 else usual
        keys.append(rng.choice(pool or list(columns)) if rng.random() < 0.98 else "absent")
    if rng.random() < 0.02:
        keys = keys[:-1] or [*keys, "who"]
    given = {"table": source.name, "keys": tuple(keys)}
    if source.timestamp and rng.random() < 0.98:
        kind = source.kinds[source.timestamp]
        times = [name for name in ("at", "then", "day") if columns.get(name) == kind]
        given["timestamp"] = rng.choice(times or ["at"])
    elif not source.timestamp and rng.random() < 0.02:
        given["timestamp"] = "at"
    features = [n for n in source.kinds if n not in (*source.keys, source.timestamp)]
    if rng.random() < 0.5:
        features = rng.sample(features, rng.randint(1, len(features)))
        given["features"] = tuple(features) + (("absent",) if rng.random() < 0.02 else ())
    given["renames"] = {
        n: f"{n}_{rng.randrange(9)}"
        for n in features
        if rng.random() < (0.97 if n in late or n in SPINE else 0.2)
    }
    if rng.random() < 0.5:
        outputs = {n: given["renames"].get(n, n) for n in features}
        given["defaults"] = {
            name: default(rng, source.kinds[n])
            for n, name in outputs.items()
            if rng.random() < 0.5 and (source.kinds[n] in _FILLED or rng.random() < 0.05)
        }
    return given


_FILLED = ("double", "float", "bigint", "int", "smallint", "string", "boolean")


def call(rng: random.Random, columns: dict[str, str], number: int) -> dict:
    there = set(columns.values())
    needs = {"total": {"bigint", "double"}, "shout": {"string"}, "opposite": {"boolean"}}
    possible = [f for f in FUNCTIONS if needs.get(f.__name__, set()) <= there]
    function = rng.choice(possible if rng.random() < 0.98 else FUNCTIONS)
    wanted = {"total": {"a": "bigint", "b": "double"}, "shout": {"text": "string"},
              "opposite": {"flag": "boolean"}, "nothing_taken": {}}[function.__name__]  # fmt: skip
    bound = {}
    for name, kind in wanted.items():
        fitting = [c for c, k in columns.items() if k == kind]
        bound[name] = rng.choice(fitting if fitting and rng.random() < 0.98 else list(columns))
    if bound and rng.random() < 0.02:
        bound.popitem()
    name = f"f{number}" if rng.random() < 0.97 else rng.choice(list(columns))
    return {"function": function.__name__, "inputs": bound, "output": name}


def case(rng: random.Random, tables: list[Table]) -> Case:
    chosen = [rng.choice(tables) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
    frame = spine(rng, [n for t in chosen for n in t.kinds if n not in (*t.keys, t.timestamp)])
    # Arrow's names of types are not Spark's: go by how the columns were made.
    spoken = {str(kind): name for name, kind in TYPES.items()}
    columns = {each.name: spoken[str(each.type)] for each in frame.schema if each.name in SPINE}
    lookups, late, window = [], [], {}
    for source in chosen:
        given = lookup(rng, source, columns, late)
        if "timestamp" in given:
            hours = rng.choice([None, None, 0, 6, 6, 24, 25, 0.001])
            length = None if hours is None else dt.timedelta(hours=hours)
            shared = window.setdefault(source.name, length)
            given["lookback"] = shared if rng.random() < 0.98 else length
        lookups.append(given)
        features = [n for n in source.kinds if n not in (*source.keys, source.timestamp)]
        for name in given.get("features") or features:
            if name in source.kinds and name not in late:
                out = given["renames"].get(name, name)
                late.append(out)
                columns.setdefault(out, source.kinds[name])
    calls = [call(rng, columns, number) for number in range(rng.choice([0, 0, 1, 2]))]
    used = {*late, *(n for each in calls for n in each["inputs"].values())}
    used |= {n for each in lookups for n in each["keys"]}
    free = [n for n in frame.column_names if n not in used]
    if rng.random() < 0.03:
        label = "z"
    else:
        label = rng.choice([None, *free[:2], free[:2]])
    every = [name for name in columns if name not in (label or ())]
    exclude = rng.sample(every, rng.choice([0, 0, 1, 3])) if len(every) > 3 else []
    return Case(frame, lookups, calls, label, exclude)
