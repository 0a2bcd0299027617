"""What stands in for a cluster: the jobs of the real bundle, run with platform=databricks.

    python -m workspace.cluster LAKEHOUSE JOB NAME=VALUE,…

The workspace is the one that DATABRICKS_HOST names; our runner stands for the Jobs service, the
embedded engine for Spark (`cluster_engine`). Prints the run's record; exits 1 unless it succeeded.
"""

from __future__ import annotations

import getpass
import os
import sys
import threading
from contextlib import closing
from pathlib import Path

from nextbest.bundle import load
from nextbest.runner.cancel import Cancel
from nextbest.runner.command import pairs
from nextbest.runner.context import Shared
from nextbest.runner.execute import start_run
from nextbest.runner.process import ForkServer
from nextbest.runner.record import to_json
from nextbest.runner.start import preload
from nextbest.runner.tree import showing

ROOT = Path(__file__).parents[2]


def main() -> int:
    lakehouse, job, given = Path(sys.argv[1]), sys.argv[2], pairs([sys.argv[3]], "parameters")
    bundle = load(ROOT, "dev", {}, getpass.getuser())
    schemas = bundle.resources["schemas"].values()
    known = ("DATABRICKS_HOST", "DATABRICKS_TOKEN")
    with (
        closing(ForkServer((*preload(), "workspace.cluster_engine"))) as server,
        showing(False) as observe,
        Cancel() as cancel,
    ):
        shared = Shared(
            bundle=bundle,
            lakehouse=lakehouse,
            server=server,
            slots=threading.BoundedSemaphore(2),
            environment={
                **{name: os.environ[name] for name in known},
                "MLFLOW_TRACKING_URI": "databricks",
                "MLFLOW_REGISTRY_URI": "databricks-uc",
                "NEXTBEST_LAKEHOUSE": str(lakehouse),
            },
            platform="databricks",
            schemas=tuple(f"{each['catalog_name']}.{each['name']}" for each in schemas),
            hidden=(os.environ["DATABRICKS_TOKEN"],),
            observe=observe,
            git_commit=None,
        )
        record = start_run(shared, bundle.jobs[job], given, cancel)
    print(to_json(record))
    return 0 if record.state == "SUCCESS" else 1


if __name__ == "__main__":
    sys.exit(main())
