"""Nothing that a deploy, its checks and its runs send, print or leave holds a planted secret."""

from __future__ import annotations

import json

import pytest
import secret_scan
from workspace import jobs, unity_catalog
from workspace.faults import Fault
from workspace.server import TOKEN

from nextbest.platforms.databricks import jobs as adapter
from nextbest.platforms.databricks import statements

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PLANTED = {
    "NEXTBEST_SECRET_NEXTBEST_PROD_SLACK": "https://hooks.slack.com/services/T0/B0/aBcDeFgHiJkLmN",
    "CRM_API_PASSWORD": "correct horse battery staple",
    "SMTP_KEY": "pä55 \"w<o>rd' &/+\\x",
}
SECRETS = [TOKEN, *PLANTED.values(), "aBcDeFgHiJkLmN"]
HOOK = "alert_channels=slack {{secrets/nextbest-prod/slack}}"
WORDS = (
    "doctor -t prod", "doctor -t prod --json", "deploy -t prod --dry-run",
    "deploy -t prod --auto-approve", "deploy -t prod --auto-approve", "targets --json",
    "run training_job -t prod", "run training_job -t prod --json", "history prod.ml_nba_demo.nba",
    "costs -t prod --warehouse w1 --page costs.html", "destroy -t prod --auto-approve",
)  # fmt: skip


@pytest.fixture
def told(bundle, dbb, monkeypatch):
    """All that is there after the commands went well, and after each met faults."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    for module in (adapter, statements):
        monkeypatch.setattr(module, "POLL_SECONDS", 0)
    bundle.edit(
        "databricks.yml", "    default: log\n", f"    default: {HOOK.partition('=')[2]!r}\n"
    )
    bundle.space.kept["warehouses"]["w1"] = "Serverless Starter Warehouse"
    bundle.space.kept["ends"]["model_training"] = ("RUN_EXECUTION_ERROR", "DataError: no rows")
    said = [dbb(words) for words in WORDS]
    for kind in (401, 403, 500):
        for place in (unity_catalog.SCHEMA, jobs.LIST):
            bundle.space.faults[:] = [Fault(kind, "GET", place, times=1000)]
            said += [dbb(words) for words in WORDS[3:7]]
    return bundle, said


def test_no_planted_secret_appears_anywhere(told):
    bundle, said = told
    assert [code for code, _ in said[:6]] == [1, 1, 0, 0, 0, 0]  # nobody granted anything yet
    asked = {each.endpoint for each in bundle.space.transcript if each.status == 200}
    assert {"/api/2.0/alerts", "/api/2.0/lakeview/dashboards", jobs.RUN_NOW} <= asked
    log = [[each.method, each.path, each.body, each.answer] for each in bundle.space.transcript]
    everything = json.dumps(log, default=str) + "".join(text for _, text in said)
    assert "{{secrets/nextbest-prod/slack}}" in everything  # the reference, as it is written
    assert secret_scan.found(SECRETS, everything.encode()) == set()
    assert secret_scan.in_folder(SECRETS, bundle.root) == {}
    assert secret_scan.in_folder(SECRETS, bundle.state) == {}
