"""The files for GitHub Actions, Azure DevOps and GitLab: well formed, pinned, without secrets."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.sdk import credentials_provider

from nextbest.bundle import load
from nextbest.cli import parser

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
GITHUB = sorted((ROOT / ".github/workflows").glob("*.yml"))
AZURE = sorted((ROOT / "ci/azure-devops").glob("*.yml"))
GITLAB = [ROOT / "ci/gitlab/.gitlab-ci.yml"]
FILES = [*GITHUB, *AZURE, *GITLAB]
SCHEMAS = {
    "vendor.github-workflows": GITHUB,
    "vendor.azure-pipelines": AZURE,
    "vendor.gitlab-ci": GITLAB,
}
MISSPELT = {
    "vendor.github-workflows": ("runs-on:", "run-on:"),
    "vendor.azure-pipelines": ("timeoutInMinutes:", "timeoutInMinute:"),
    "vendor.gitlab-ci": ("resource_group:", "resource_groups:"),
}
CHECK = [Path(sys.executable).with_name("check-jsonschema"), "--regex-variant", "nonunicode"]
TARGETS = ("dev", "staging", "prod")
COMMIT = r"[0-9a-f]{40}"


def parsed(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def commands(node: Any) -> Iterator[str]:
    """Lines that are given to a shell: values of `run` and `script`, and GitLab's lists of them."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script", "before_script"):
                for text in [value] if isinstance(value, str) else value:
                    yield from (text if isinstance(text, str) else "\n".join(text)).splitlines()
            yield from commands(value)
    elif isinstance(node, list):
        for each in node:
            yield from commands(each)


def jobs() -> list[tuple[str, str, dict]]:
    """File, name and content of every job of GitHub's."""
    return [(f.name, name, job) for f in GITHUB for name, job in parsed(f)["jobs"].items()]


def checked(schema: str, *files: Path) -> subprocess.CompletedProcess:
    words = [*CHECK, "--builtin-schema", schema, *files]
    if schema == "vendor.gitlab-ci":
        words += ["--data-transform", "gitlab-ci"]
    return subprocess.run(words, capture_output=True, text=True)


def test_there_are_files_for_three_systems():
    assert {f.name for f in GITHUB} == {"check.yml", "deploy.yml", "drift.yml"}
    assert {f.name for f in AZURE} == {
        "azure-pipelines.yml", "check-steps.yml", "check.yml", "drift.yml",
    }  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS)
def test_well_formed(schema, tmp_path):
    done = checked(schema, *SCHEMAS[schema])
    assert done.returncode == 0, done.stdout + done.stderr
    broken = tmp_path / SCHEMAS[schema][0].name
    text, (right, wrong) = SCHEMAS[schema][0].read_text(encoding="utf-8"), MISSPELT[schema]
    assert right in text
    broken.write_text(text.replace(right, wrong), encoding="utf-8")
    done = checked(schema, broken)
    assert done.returncode == 1
    assert "Schema validation errors" in done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_nothing_secret_and_nothing_that_lives_long(file):
    text = file.read_text(encoding="utf-8")
    for word in (r"secrets\.", r"DATABRICKS_TOKEN\b", "CLIENT_SECRET", "dapi", "PERSONAL_ACCESS"):
        assert not re.search(word, text, re.I), word


def test_actions_are_pinned_by_commit():
    pins: dict[str, set[str]] = {}
    for file in GITHUB:
        for action, at in re.findall(r"uses: (\S+?)(@.*)?$", file.read_text(), re.M):
            if action.startswith("./"):
                assert (ROOT / action).is_file()
                continue
            assert re.fullmatch(rf"@{COMMIT} # v\d+\.\d+\.\d+", at), f"{file.name}: {action}{at}"
            pins.setdefault(action, set()).add(at)
    assert set(pins) == {"actions/checkout", "actions/setup-python", "databricks/setup-cli"}
    assert all(len(each) == 1 for each in pins.values()), pins
    # The other systems install the same version of the CLI, by the same commit.
    ((cli,),) = [pins["databricks/setup-cli"]]
    for file in (*AZURE, *GITLAB):
        for url in re.findall(r"https://(\S+)", file.read_text()):
            assert url.endswith(f"/databricks/setup-cli/{cli[1:41]}/install.sh"), file.name


def test_least_permissions():
    for file in GITHUB:
        assert parsed(file)["permissions"] in ({}, {"contents": "read"}), file.name
    for file, name, job in jobs():
        given = dict(job.get("permissions", {}))
        to_databricks = job.get("env", {}).get("DATABRICKS_AUTH_TYPE") == "github-oidc"
        assert (given.pop("id-token", None) == "write") == to_databricks, f"{file}: {name}"
        assert given in ({}, {"contents": "read"}), f"{file}: {name}"
        if to_databricks:
            assert job["env"]["DATABRICKS_TOKEN_AUDIENCE"] == "${{ vars.DATABRICKS_ACCOUNT_ID }}"
        # A token is for one environment: its policy at Databricks names it.
        assert to_databricks == ("environment" in job), f"{file}: {name}"
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_every_job_ends_and_none_overtakes_another():
    for file, name, job in jobs():
        assert "timeout-minutes" in job or "uses" in job, f"{file}: {name}"
        if "environment" in job:
            group = (
                job.get("concurrency") or parsed(ROOT / ".github/workflows" / file)["concurrency"]
            )
            assert not group.get("cancel-in-progress"), f"{file}: {name}"
    (gitlab,) = map(parsed, GITLAB)
    for name in ("staging", "prod", "drift"):
        assert gitlab[name]["resource_group"]
        assert gitlab[name]["timeout"]


def test_prod_comes_after_staging_and_an_approval():
    deploy = parsed(ROOT / ".github/workflows/deploy.yml")["jobs"]
    assert deploy["staging"]["needs"] == "check"
    assert deploy["prod"]["needs"] == "staging"
    assert deploy["prod"]["environment"] == "prod"
    assert "refs/heads/main" in deploy["staging"]["if"]
    assert "if" not in deploy["prod"]  # such as always(), which would go on after a failure
    stages = {each["stage"]: each for each in parsed(AZURE[0])["stages"]}
    assert stages["prod"]["dependsOn"] == "staging"
    assert stages["prod"]["jobs"][0]["environment"] == "prod"
    assert all("succeeded()" in stages[name]["condition"] for name in ("staging", "prod"))
    (gitlab,) = map(parsed, GITLAB)
    assert gitlab["prod"]["needs"] == ["staging"]
    assert [rule["when"] for rule in gitlab["prod"]["rules"]] == ["manual"]


def test_staging_runs_everything_once():
    for texts in (GITHUB, AZURE, GITLAB):
        told = [line for file in texts for line in commands(parsed(file))]
        deployed = next(i for i, line in enumerate(told) if "deploy -t staging" in line)
        assert "run lifecycle_job -t staging" in told[deployed + 1]
        assert any("run monitoring_job -t prod" in line for line in told)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_commands_exist(file):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = load(ROOT).jobs
    told = list(commands(parsed(file)))
    assert told or file.name in ("check.yml", "azure-pipelines.yml")
    for line in told:
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}: ", makefile, re.M), line
        elif words and words[0].endswith("dbb"):
            assert words[0] == ".venv/bin/dbb"
            given = words[1:]
            assert given[given.index("-t") + 1] in TARGETS
            if given[0] in ("deploy", "destroy"):  # may be handed over to the Databricks CLI
                continue
            args = parser(given[0]).parse_args(given)
            assert given[0] != "run" or args.job in known, line


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_settings_exist(file):
    text = file.read_text(encoding="utf-8")
    for name in re.findall(r"BUNDLE_VAR_(\w+)", text):
        assert name in load(ROOT).variables
    source = Path(credentials_provider.__file__).read_text(encoding="utf-8")
    for kind in re.findall(r"DATABRICKS_AUTH_TYPE\W+(?:value: )?([\w-]+)", text):
        assert f'strategy("{kind}"' in source
    if "deploy -t" in text:
        assert text.count("BUNDLE_VAR_service_principal") == text.count("deploy -t")


def test_a_token_is_at_hand_where_it_is_exchanged():
    for file in AZURE:
        for step in re.split(r"\n\s*- (?=script|task|checkout)", file.read_text()):
            if re.search(r"dbb (doctor|deploy|run)", step):
                assert "SYSTEM_ACCESSTOKEN: $(System.AccessToken)" in step, file.name
    (gitlab,) = map(parsed, GITLAB)
    assert set(gitlab[".databricks"]["id_tokens"]) == {"DATABRICKS_OIDC_TOKEN"}
    for name in ("staging", "prod", "drift"):
        assert gitlab[name]["extends"] == ".databricks"
