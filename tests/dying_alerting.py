"""Judges and tells days in processes that die by kill -9 at one of their steps.

Reads a line of JSON per process from stdin: {"days": [...], "step": n}; prints its id, and when it
ended, its exit code. Arguments: lakehouse, settings as JSON, file for all that is said. Of the last
day, `step` is where it dies (-1: nowhere): the begin or the end of what writes a table or asks a
receiver. See acceptance/test_alerts.py.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path

from assessed import moved

from nextbest.channels.sending import Patience
from nextbest.errors import NextBestError
from nextbest.lifecycle.alerting import send_alerts
from nextbest.lifecycle.responding import locate, respond
from nextbest.monitoring.verdict import PSI, Drifted
from nextbest.platforms.local.session import open_session
from nextbest.settings import Settings

STEPS = {("tables.py", "merge"), ("sending.py", "send"), ("webhook.py", "post"),
         ("mail.py", "mail")}  # fmt: skip


def die_at(step):
    """Count steps; die at this one. Looked at from outside: nothing of ours is replaced."""
    left = [step]

    def count():
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def end(frame, event, argument):
        if event == "return":
            count()
        return end

    def begin(frame, event, argument):
        code = frame.f_code
        if (code.co_filename.rpartition("/")[2], code.co_name) not in STEPS:
            return None
        count()
        return end

    sys.settrace(begin)


def go(lakehouse, values, days, step):
    spark = open_session(Path(lakehouse), ["prod.ml_nba_demo"])
    for day in days:
        found = (Drifted(f"column {day}", PSI, 0.3, 0.2), Drifted(f"other {day}", PSI, 0.9, 0.2))
        settings = Settings.parse({**values, "as_of": day})
        if day == days[-1] and step >= 0:
            die_at(step)
        response = respond(settings, spark, "1", moved(found))
        page = f"{lakehouse}/volumes/monitoring/{day}.html"
        locate(settings, spark, response, page, f"https://workspace.example/jobs/1/runs/{day}")
        send_alerts(settings, spark, Patience(attempts=2, timeout=2.0, first=0.01, most=0.1))


def main(lakehouse, values, said):
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            file = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(file, 1)
            os.dup2(file, 2)
            try:
                go(lakehouse, values, asked["days"], asked["step"])
                sys.stdout.flush()
                os._exit(0)
            except NextBestError as error:
                os.write(2, f"{error}\n".encode())
                os._exit(1)
            finally:
                traceback.print_exc()
                os._exit(3)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3])
