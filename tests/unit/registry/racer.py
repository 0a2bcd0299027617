"""A process that promotes versions on demand, and may be killed at its nth call of a store.

    python racer.py HOME LEDGER ENDPOINT MODEL locked|unlocked [KILLED_BEFORE]

Each line of stdin is `VERSION CHAMPION` (or `back`); the answer is a line of JSON. `unlocked` is
what a workspace is: nobody can be kept out, and an alias can't be compared and set.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

from nextbest.errors import NextBestError
from nextbest.platforms.local.releasing import in_a_folder
from nextbest.registry.promotion import PromotionLost, follow
from nextbest.registry.releasing import release, roll_back
from nextbest.registry.verdicts import Recorded

DAY = dt.date(2026, 3, 1)
WRITES = ("append", "move", "deploy")


class Mortal:
    """A port whose writes are counted together with the others'; before one, the process dies."""

    calls = 0
    killed_before = 0

    def __init__(self, port, locked):
        self.port, self.locked = port, locked

    def __getattr__(self, name):
        if name == "alone" and not self.locked:
            return lambda model: nullcontext()
        call = getattr(self.port, name)
        return self.counted(call) if name in WRITES else call

    @staticmethod
    def counted(call):
        def counting(*given):
            Mortal.calls += 1
            if Mortal.calls == Mortal.killed_before:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*given)

        return counting


def main():
    home, ledger, endpoint, model, kind, *killed = sys.argv[1:]
    Mortal.killed_before = int(killed[0]) if killed else 0
    ports = in_a_folder(Path(home), ledger)
    releases = dataclasses.replace(
        ports, who=lambda: f"racer {os.getpid()}",
        **{name: Mortal(getattr(ports, name), kind == "locked")
           for name in ("ledger", "aliases", "serving")},
    )  # fmt: skip
    print("ready", flush=True)
    for line in sys.stdin:
        answer = {"calls": 0, "who": releases.who()}
        try:
            with releases.ledger.alone(model):
                if line.strip() == "back":
                    roll_back(releases, model, DAY)
                else:
                    version, champion = line.split()
                    verdict = Recorded(True, champion, DAY, f"rows of {version}", "fine")
                    release(releases, model, version, "champion", verdict)
                follow(releases, model, endpoint)
            answer["won"] = True
        except PromotionLost as error:
            answer |= {"won": False, "told": str(error)}
        except NextBestError as error:
            answer |= {"won": None, "told": str(error)}
        answer["calls"], Mortal.calls = Mortal.calls, 0
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
