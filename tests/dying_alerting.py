"""Judges and tells a day, and dies by kill -9 at one of its steps: see acceptance/test_alerts.py.

Arguments: lakehouse, settings as JSON, the days to go through as JSON; of the last day the step to
die at. A step is the begin or the end of what writes a table, or asks a receiver.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
from pathlib import Path

STEPS = {("tables.py", "merge"), ("sending.py", "send"), ("webhook.py", "post"),
         ("mail.py", "mail")}  # fmt: skip


def die_at(step):
    """Count steps; die at this one. Looked at from outside: nothing of ours is replaced."""
    left = [step]

    def look(frame, event, argument):
        code = frame.f_code
        here = (code.co_filename.rpartition("/")[2], code.co_name)
        if here in STEPS and event in ("call", "return"):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.setprofile(look)


def main(lakehouse, values, days, step):
    from nextbest.channels.sending import Patience
    from nextbest.lifecycle.alerting import send_alerts
    from nextbest.lifecycle.responding import respond
    from nextbest.monitoring.verdict import PSI, Drifted, Verdict
    from nextbest.platforms.local.session import open_session
    from nextbest.settings import Settings

    spark = open_session(Path(lakehouse), ["prod.ml_nba_demo"])
    for day in days:
        found = (Drifted(f"column {day}", PSI, 0.3, 0.2), Drifted(f"other {day}", PSI, 0.9, 0.2))
        settings = Settings.parse({**values, "as_of": day})
        assert settings.as_of <= dt.date(2027, 1, 1)
        if day == days[-1]:
            die_at(step)
        respond(settings, spark, "1", Verdict(True, found, "drift"))
        send_alerts(settings, spark, Patience(attempts=2, timeout=2.0, first=0.01, most=0.1))
    sys.setprofile(None)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4]))
