"""Logs as others write them, made small, and the ways to inspect and to ingest one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from nextbest.cli import main
from nextbest.data.judging import judge
from nextbest.data.own_log.reading import read_mapping
from nextbest.data.own_log.source import own_contracts, read_log
from nextbest.data.quarantine import good_rows, rejected_rows
from nextbest.platforms.local.catalog import LocalCatalog
from nextbest.settings import Settings

ROWS = 3000
_ANY = {"str": "x", "int": 1, "float": 0.5, "dt.date": dt.date(2026, 5, 1)}


def hillstrom(folder):
    """A randomised e-mail trial: no times, no propensities, a column called channel."""
    draw = np.random.default_rng(5)
    segment = draw.choice(["Womens E-Mail", "No E-Mail", "Mens E-Mail"], ROWS)
    history = np.round(draw.gamma(1, 240, ROWS) + 30, 2)
    visit = draw.random(ROWS) < 0.1 + 0.06 * (segment != "No E-Mail")
    bought = visit & (draw.random(ROWS) < 0.2)
    frame = pd.DataFrame({
        "recency": draw.integers(1, 13, ROWS), "history": history,
        "mens": draw.integers(0, 2, ROWS), "zip_code": draw.choice(["Rural", "Urban"], ROWS),
        "newbie": draw.integers(0, 2, ROWS),
        "channel": np.where(history > 250, "Web", draw.choice(["Phone", "Multi"], ROWS)),
        "segment": segment, "visit": visit.astype(int), "conversion": bought.astype(int),
        "spend": np.where(bought, np.round(draw.gamma(2, 60, ROWS), 2), 0),
    })  # fmt: skip
    frame.to_csv(folder / "hillstrom.csv", index=False)
    return folder / "hillstrom.csv"


def criteo(folder):
    """A randomised uplift trial, 85 % treated, with a column from after the decision."""
    draw = np.random.default_rng(6)
    frame = pd.DataFrame(draw.normal(size=(ROWS, 6)), columns=[f"f{k}" for k in range(6)])
    treated = (draw.random(ROWS) < 0.85).astype(int)
    visit = (draw.random(ROWS) < 0.08).astype(int)
    frame = frame.assign(
        treatment=treated, conversion=visit * (draw.random(ROWS) < 0.2), visit=visit,
        exposure=treated * (draw.random(ROWS) < 0.04),
    )  # fmt: skip
    frame.astype({"conversion": int, "exposure": int}).to_csv(folder / "criteo.csv.gz", index=False)
    return folder / "criteo.csv.gz"


def dsjson(folder):
    """Vowpal Wabbit's decision log: nested, costs, the eligible set as a list."""
    draw = np.random.default_rng(7)
    with open(folder / "vw.json", "w") as file:
        for row in range(1000):
            order = (draw.permutation(4) + 1).tolist()
            chances = [0.925, 0.025, 0.025, 0.025]
            at = int(draw.choice(4, p=chances))
            order[0], order[at] = order[at], order[0]
            chances[0], chances[at] = chances[at], chances[0]
            told = {
                "_label_cost": -1.0 if draw.random() < 0.2 else -0.0,
                "_label_probability": chances[0], "_label_Action": order[0],
                "_labelIndex": order[0] - 1, "Timestamp": f"2026-01-{1 + row % 28:02d}T10:00:00Z",
                "EventId": f"e{row}", "a": order, "p": chances,
                "c": {"User": {"age": int(draw.integers(20, 60))}, "_multi": [{}, {}]},
            }  # fmt: skip
            file.write(json.dumps(told) + "\n")
    return folder / "vw.json"


def ratings(folder):
    """Who rated what, and nobody knows why they saw it."""
    draw = np.random.default_rng(8)
    frame = pd.DataFrame({
        "userId": draw.integers(1, 200, ROWS), "movieId": draw.integers(1, 900, ROWS),
        "rating": draw.choice([0.5, 2, 3, 4, 5], ROWS),
        "timestamp": draw.integers(1_100_000_000, 1_500_000_000, ROWS),
    })  # fmt: skip
    frame.to_csv(folder / "ratings.csv", index=False)
    return folder / "ratings.csv"


def utf16(folder):
    """UTF-16 with a byte order mark, epoch milliseconds."""
    draw = np.random.default_rng(9)
    arm = draw.choice(["Á", "Ñ", "C"], ROWS, p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame({
        "EventId": [f"e{k}" for k in range(ROWS)], "UserId": draw.integers(1, 900, ROWS),
        "ts_ms": 1_767_225_600_000 + draw.integers(0, 20 * 86_400_000, ROWS), "Arm": arm,
        "reward": draw.integers(0, 2, ROWS),
        "pscore": pd.Series(arm).map({"Á": 0.5, "Ñ": 0.3, "C": 0.2}),
    })  # fmt: skip
    frame.to_csv(folder / "utf16.csv", index=False, encoding="utf-16")
    return folder / "utf16.csv"


def windows(folder):
    """cp1252, semicolons, quotes, two formats of dates, decimal commas, a header twice."""
    draw = np.random.default_rng(10)
    chance = {"Rabatt": "0,4", "Überraschung": "0,4", "keine": "0,2"}
    lines = ["Vorgang;Kunde;Zeitpunkt;Angebot;Kanal;Wahrscheinlichkeit;Klick;Umsatz;Alter;Alter"]
    for row in range(ROWS):
        offer = str(draw.choice(list(chance), p=[0.4, 0.4, 0.2]))
        day, month, click = 1 + row % 28, 1 + row % 3, int(draw.random() < 0.2)
        when = f"{day:02d}.{month:02d}.2026 1{row % 10}:05"
        if row % 3 == 0:
            when = f"2026-{month:02d}-{day:02d}T10:00:00+01:00"
        money = f"1.2{row % 100:02d},50" if click else "0,00"
        lines.append(
            f'{row};"K;{row % 700}";{when};"{offer}";"E-Mail ""neu""";{chance[offer]};{click};'
            f"{money};{20 + row % 50};{row % 7}"
        )
    lines.insert(100, "kaputt;nur drei;Werte")
    (folder / "windows.csv").write_bytes("\r\n".join(lines).encode("cp1252"))
    return folder / "windows.csv"


def american(folder):
    """Months first, twelve hours, Excel's line before the header."""
    lines = ["sep=,", "date,customer,offer,prob,clicked"]
    for row in range(ROWS):
        when = f"{1 + row % 12}/{1 + row % 28}/2026 {1 + row % 12}:00 PM"
        lines.append(f"{when},c{row % 50},{'abc'[row % 3]},0.333333,{int(row % 7 == 0)}")
    (folder / "american.csv").write_text("\n".join(lines))
    return folder / "american.csv"


def mixed(folder):
    """Days first and months first in one column: nobody can tell 03/04 from 04/03."""
    lines = ["when,user_id,offer,propensity,click"]
    for row in range(ROWS):
        day, month = 1 + row % 28, 1 + row % 12
        when = f"{day:02d}/{month:02d}/2026" if row % 2 else f"{month:02d}/{day:02d}/2026"
        lines.append(f"{when},u{row % 90},{'ab'[row % 2]},0.5,{int(row % 9 == 0)}")
    (folder / "mixed.csv").write_text("\n".join(lines))
    return folder / "mixed.csv"


LOGS = {each.__name__: each for each in (
    hillstrom, criteo, dsjson, ratings, utf16, windows, american, mixed
)}  # fmt: skip


@pytest.fixture(scope="session")
def log_of(tmp_path_factory):
    """The path of a log by its name, made once."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = LOGS[name](tmp_path_factory.mktemp("logs"))
        return made[name]

    return make


@pytest.fixture
def settings():
    told = {field.name: _ANY[str(field.type)] for field in dataclasses.fields(Settings)}

    def make(source, mapping, **changes):
        return Settings(**{**told, "source": str(source), "mapping": str(mapping), **changes})

    return make


@pytest.fixture
def ingested(spark, spark_home, settings, tmp_path):
    """Good and rejected rows by table, as pandas, of a log by a mapping (its path, or its text)."""

    def run(log, mapping, **changes):
        if isinstance(mapping, str):
            path = tmp_path / "mapping.yml"
            path.write_text(mapping)
            mapping = path
        asked = settings(log, mapping, **changes)
        catalog = LocalCatalog(spark, spark_home, tmp_path)
        frames = read_log(spark, asked, tmp_path / "land", catalog.open_delta)
        contracts, good, found = own_contracts(read_mapping(mapping)), {}, {}
        for name, contract in contracts.items():
            known = {each.table: good[each.table] for each in contract.references}
            judged = judge(frames[name], contract, "log", asked.as_of, known)
            good[name] = good_rows(judged, contract)
            bad = rejected_rows(judged, contract, "log", "run")
            found[name] = (good[name].toArrow().to_pandas(), bad.toArrow().to_pandas())
        return found

    return run


@pytest.fixture
def inspected(tmp_path, capsys):
    """Exit code and JSON of `dbb inspect-log` for a frame."""

    def run(frame, name="log.csv", *more):
        if name.endswith(".parquet"):
            pq.write_table(frame, tmp_path / name)
        else:
            frame.to_csv(tmp_path / name, index=False)
        code = main(["inspect-log", str(tmp_path / name), "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    return run
