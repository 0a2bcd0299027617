"""Make log.csv and actions.csv of this folder: a shop's e-mail and app offers, drawn by a rule.

python examples/own_log/make_log.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROWS, CUSTOMERS, DAYS, SEED = 6000, 1500, 42, 20260101
OFFERS = {"Kein Angebot": 0.0, "Versand gratis": 0.4, "10 Prozent": 0.9, "Neuheiten": 0.1}


def main() -> None:
    """Write both files; the same ones each time."""
    draw = np.random.default_rng(SEED)
    age = draw.integers(18, 80, CUSTOMERS)
    region = draw.choice(["Nord", "Süd", "West"], CUSTOMERS)
    spent = np.round(draw.gamma(2.0, 40.0, CUSTOMERS), 2)
    names = list(OFFERS)
    minutes = np.sort(draw.integers(0, DAYS * 24 * 60, ROWS))
    lines = []
    for number, minute in enumerate(minutes):
        who = int(draw.integers(CUSTOMERS))
        # The old rule: discounts to those who spent little, each offer with a chance of 15 %.
        best = 2 if spent[who] < 60 else 1
        chance = np.full(4, 0.15)
        chance[best] = 0.55
        pick = int(draw.choice(4, p=chance))
        channel = "App" if draw.random() < 0.5 else "E-Mail"
        # An offer goes out by one of two channels; leaving somebody alone has none.
        logged = chance[pick] * (1.0 if pick == 0 else 0.5)
        young = age[who] < 40
        logit = -2.6 + [0.0, 0.5, 1.3, 0.2][pick] + (1.4 if pick == 3 and young else 0.0)
        logit += 0.4 if pick and channel == "App" and young else 0.0
        bought = draw.random() < 1 / (1 + np.exp(-logit))
        paid = round(float(draw.gamma(3.0, 12.0)), 2) if bought else 0.0
        when = np.datetime64("2026-01-05T00:00") + np.timedelta64(int(minute), "m")
        lines.append([
            f"B{number:05d}", f"K{who:04d}", f"{when.item():%d.%m.%Y %H:%M}", names[pick],
            "" if pick == 0 else channel, f"{logged:.4f}".replace(".", ","), int(bought),
            f"{paid:.2f}".replace(".", ","), int(age[who]), region[who],
            f"{spent[who]:.2f}".replace(".", ","),
        ])  # fmt: skip
    header = ["Nachricht-ID", "Kunde", "Zeitpunkt", "Angebot", "Kanal", "Wahrscheinlichkeit",
              "Kauf", "Umsatz", "Alter", "Region", "Ausgaben Vorjahr"]  # fmt: skip
    with open(HERE / "log.csv", "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *lines])
    with open(HERE / "actions.csv", "w", encoding="utf-8", newline="") as file:
        rows = [["action_id", "channel", "cost", "eligibility"], ["none", "none", 0, "true"]]
        for name in names[1:]:
            rule = "log_alter >= 18" if name == "10 Prozent" else "true"
            rows += [[name, "App", 0.01, rule], [name, "E-Mail", 0.002, rule]]
        csv.writer(file).writerows(rows)


if __name__ == "__main__":
    main()
