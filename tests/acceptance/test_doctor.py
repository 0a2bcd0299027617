"""`dbb doctor` against workspaces that are well, and that are broken in one place."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest
from workspace import features, serving
from workspace.faults import DROPPED, NO_API, Fault
from workspace.identity import ME
from workspace.monitors import MONITOR
from workspace.server import TOKEN, Workspace

from nextbest.cli import main

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SCHEMA, RUNTIME = "prod.ml_nba_demo", "17.3.x-cpu-ml-scala2.13"
VOLUME = f"{SCHEMA}.landing"
WAREHOUSE = "Serverless Starter Warehouse"
ON_SCHEMA = ["USE_SCHEMA", "SELECT", "MODIFY", "CREATE_TABLE", "CREATE_MODEL", "CREATE_FUNCTION",
             "APPLY_TAG"]  # fmt: skip


@pytest.fixture
def space(monkeypatch, tmp_path):
    """A workspace in which prod can be deployed, and a machine that has what it takes."""
    space = Workspace()
    space.kept["account"]["metastore"] = "m1"
    space.kept["catalogs"]["prod"] = "platform-team"
    space.kept["schemas"][SCHEMA] = "platform-team"
    space.kept["volumes"][VOLUME] = "platform-team"
    space.kept["grants"].update(
        {"prod": ["USE_CATALOG"], SCHEMA: list(ON_SCHEMA),
         VOLUME: ["READ_VOLUME", "WRITE_VOLUME"]}
    )  # fmt: skip
    space.kept["runtimes"].update({RUNTIME: 1, "17.3.x-scala2.13": 1})
    space.kept["node types"].update({"i3.xlarge": 1})
    space.kept["online stores"].update({"a": 1, "b": 1})
    space.kept["warehouses"].update({"w0": "Large", "w1": WAREHOUSE})
    space.kept["entitlements"]["allow-cluster-create"] = 1
    program = tmp_path / "databricks"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("BUNDLE_VAR_service_principal", ME)  # who asks, then
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    monkeypatch.chdir(ROOT)
    yield space
    space.close()


def look(capsys, *more):
    code = main(["doctor", "-t", "prod", "--json", *more])
    found = json.loads(capsys.readouterr().out)
    return code, [each for each in found if each["state"] != "ok"], found


def test_a_workspace_that_is_well(space, capsys):
    code, bad, found = look(capsys)
    assert (code, bad) == (0, [])
    assert {each["check"] for each in found} >= {
        "program", "credentials", "Unity Catalog", "catalog", "schema", "volume", "runtime",
        "cluster policy", "SQL warehouse", "profiling", "online store", "serving",
    }  # fmt: skip
    assert all(each.method == "GET" for each in space.transcript)  # it looks, and changes nothing
    assert TOKEN not in json.dumps(found)


def test_what_the_next_deploy_makes_need_not_be_there(space, capsys):
    space.kept["schemas"].clear()
    space.kept["grants"]["prod"].append("CREATE_SCHEMA")
    assert look(capsys)[0] == 0


def test_an_owner_needs_no_grants(space, capsys):
    for kind in ("catalogs", "schemas", "volumes"):
        space.kept[kind].update(dict.fromkeys(space.kept[kind], ME))
    space.kept["grants"].clear()
    assert look(capsys)[0] == 0


@pytest.mark.parametrize("group", ["engineers", "account users"])
def test_groups_hold_rights_for_their_members(space, capsys, group):
    space.kept["grants to groups"][group] = dict(space.kept["grants"])
    space.kept["grants"].clear()
    assert look(capsys)[0] == 0
    space.kept["schemas"][SCHEMA] = group
    del space.kept["grants to groups"][group][SCHEMA]
    assert look(capsys)[0] == 0


def test_rights_of_another_than_who_runs_the_jobs_prove_nothing(space, capsys, monkeypatch):
    monkeypatch.setenv("BUNDLE_VAR_service_principal", "11111111-2222-3333-4444-555555555555")
    code, bad, _ = look(capsys)
    assert code == 1
    (found,) = bad
    assert (found["check"], found["state"]) == ("credentials", "unknown")
    assert "jobs run as 11111111-2222-3333-4444-555555555555" in found["told"]


def test_the_newest_runtimes_are_proposed(space, capsys):
    del space.kept["runtimes"][RUNTIME]
    known = [f"{number}.x-cpu-ml-scala2.13" for number in ("9.1", "16.4", "17.2", "18.0")]
    space.kept["runtimes"].update(dict.fromkeys(known, 1))
    _, (found,), _ = look(capsys)
    assert found["mend"].endswith(", ".join(known[1:]))


def test_serverless_needs_no_runtime(space, capsys):
    space.kept["runtimes"].clear()
    assert look(capsys, "--var", "compute=${var.serverless}")[0] == 0


def test_a_warehouse_may_be_named_by_its_id(space, capsys):
    assert look(capsys, "--var", "warehouse_id=w0")[0] == 0
    # Not by its name, which is looked up for the default only.
    code, (bad,), _ = look(capsys, "--var", "warehouse_id=Large")
    assert code == 1
    told = f"alert drift_alert, dashboard monitoring: {ME} may use no warehouse with the id Large"
    assert bad["told"] == told
    assert bad["mend"].endswith(f"one that is there: w0 (Large), w1 ({WAREHOUSE})")


def test_where_there_is_no_warehouse_one_is_to_be_made(space, capsys):
    space.kept["warehouses"].clear()
    _, (bad,), _ = look(capsys)
    assert bad["mend"] == "create one, and give CAN USE on it"


def test_a_policy_is_looked_for(space, capsys, monkeypatch, tmp_path):
    for name in ("resources", "notebooks", "dashboards"):
        shutil.copytree(ROOT / name, tmp_path / name)
    text = (ROOT / "databricks.yml").read_text(encoding="utf-8")
    mode = "            data_security_mode: SINGLE_USER\n"
    assert mode in text
    named = text.replace(mode, f"{mode}            policy_id: p1\n")
    (tmp_path / "databricks.yml").write_text(named, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code, (bad,), _ = look(capsys)
    assert code == 1
    assert "policy p1 is not there, or" in bad["told"]
    assert (bad["mend"], bad["who"]) == (
        "create it, or give CAN USE on the policy",
        "workspace admin",
    )
    space.kept["policies"]["p1"] = "small clusters"
    assert look(capsys)[:2] == (0, [])


def fault(kind, path):
    def broken(space):
        space.faults.append(Fault(kind, "GET", path, times=100))

    return broken


def taken(kind, name):
    return lambda space: space.kept[kind].pop(name)


def without(name, privilege):
    return lambda space: space.kept["grants"][name].remove(privilege)


def wrong_token(space):
    fault(401, "/api/2.0/preview/scim/v2/Me")(space)


BROKEN = {
    "token": (wrong_token, "credentials", "who asks is unknown", "you"),
    "connection": (fault(DROPPED, "/api/2.0/preview/scim/v2/Me"), "credentials",
                   "did not answer", "you"),
    "metastore": (taken("account", "metastore"), "Unity Catalog", "no metastore", "account admin"),
    "catalog": (taken("catalogs", "prod"), "catalog", "prod is not there", "metastore admin"),
    "use catalog": (without("prod", "USE_CATALOG"), "catalog", "lacks USE CATALOG on prod",
                    "platform-team"),
    "schema": (taken("schemas", SCHEMA), "catalog", "lacks CREATE SCHEMA on prod",
               "platform-team"),
    "create table": (without(SCHEMA, "CREATE_TABLE"), "schema", f"lacks CREATE TABLE on {SCHEMA}",
                     "platform-team"),
    "create model": (without(SCHEMA, "CREATE_MODEL"), "schema", f"lacks CREATE MODEL on {SCHEMA}",
                     "platform-team"),
    "volume": (taken("volumes", VOLUME), "schema", f"lacks CREATE VOLUME on {SCHEMA}",
               "platform-team"),
    "write volume": (without(VOLUME, "WRITE_VOLUME"), "volume", f"lacks WRITE VOLUME on {VOLUME}",
                     "platform-team"),
    "runtime": (taken("runtimes", RUNTIME), "runtime", f"no runtime {RUNTIME}", "databricks.yml"),
    "instance type": (lambda space: space.kept.update({"node types": {"m5.large": 1}}),
                      "instance type", "no i3.xlarge in this cloud", "databricks.yml"),
    "cluster policy": (taken("entitlements", "allow-cluster-create"), "cluster policy",
                       "may make clusters by a policy only", "workspace admin"),
    "warehouse": (taken("warehouses", "w1"), "SQL warehouse",
                  f"dashboard monitoring: {ME} may use no warehouse named {WAREHOUSE}",
                  "who edits databricks.yml, or workspace admin"),
    "warehouses": (fault(403, "/api/2.0/sql/warehouses"), "SQL warehouse",
                   "SQL warehouses: not allowed", "workspace admin"),
    "no profiling here": (fault(NO_API, MONITOR), "profiling", "data profiling can't be used",
                          "account admin"),
    "profiling": (fault(403, MONITOR), "profiling", "data profiling can't be used",
                  "account admin"),
    "online store": (fault(404, features.STORES), "online store",
                     "Online Feature Store can't be used", "account admin"),
    "serving": (fault(403, serving.ENDPOINTS), "serving", "Model Serving can't be used",
                "workspace or account admin"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_cause_is_named_with_who_can_mend_it(space, capsys, monkeypatch, name):
    breaks, check, told, who = BROKEN[name]
    breaks(space)
    if name == "connection":  # patience ends after a few attempts
        clock = itertools.count(0, 60)
        monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: next(clock))
    code, bad, _ = look(capsys)
    assert code == 1
    assert [each["check"] for each in bad] == [check]
    assert told in bad[0]["told"]
    assert who in bad[0]["who"]
    assert bad[0]["mend"]


def test_people_get_a_table(space, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["doctor", "-t", "prod"]) == 0
    assert "ready to deploy" in capsys.readouterr().out
    (tmp_path / "databricks").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor", "-t", "prod"]) == 1
    told = capsys.readouterr().out
    (line,) = [line.split() for line in told.splitlines() if "✗" in line]
    assert line[:2] == ["✗", "program"]
    assert "1 to be mended" in told


def test_without_credentials_it_says_how_to_get_them(space, capsys, monkeypatch):
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name)
    assert main(["doctor", "-t", "prod"]) == 1
    assert "databricks auth login" in capsys.readouterr().err
