"""Secrets are planted wherever a run could write them down, and looked for in all that it left."""

from __future__ import annotations

import base64
import html
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import secret_scan
from workspace.server import TOKEN, Workspace

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PASSWORD = "pä55 \"w<o>rd' &/+\\x"
KEY = "\n".join(
    ["-----BEGIN KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQ", "kHh0c2VjcmV0LXN0dWZmLWhlcmU"]
)
PLANTED = {
    "NEXTBEST_SECRET_CRM_PASSWORD": PASSWORD,
    "NEXTBEST_SECRET_CRM_KEY": KEY,
    "CRM_API_PASSWORD": "correct horse battery staple",  # a secret by its name alone
    "DATABRICKS_TOKEN": "dapi0123456789abcdef0123456789abcdef",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T00000000/B00000000/aBcDeFgHiJkLmNoPqRsTuVwX",
}
IN_SETTING = "Hunter2-of-jdbc"
SOURCE = f"jdbc:sqlserver://h:1433;user=etl;password={IN_SETTING};encrypt=true"
SECRETS = [
    PASSWORD, KEY, *KEY.splitlines()[1:], PLANTED["CRM_API_PASSWORD"], PLANTED["DATABRICKS_TOKEN"],
    "aBcDeFgHiJkLmNoPqRsTuVwX", IN_SETTING,
]  # fmt: skip
HALVES = [half for s in SECRETS for half in (s[: len(s) // 2], s[len(s) // 2 :]) if len(half) > 9]

JOBS = """
    main:
      name: main
      parameters: [{name: source, default: none}]
      tasks:
        - {task_key: prints, notebook_task: {notebook_path: prints.py}}
        - {task_key: shows, notebook_task: {notebook_path: shows.py}}
        - {task_key: fails, notebook_task: {notebook_path: fails.py}}
        - {task_key: exits, notebook_task: {notebook_path: exits.py}}
        - {task_key: tracks, notebook_task: {notebook_path: tracks.py}}
        - task_key: compares
          condition_task: {op: EQUAL_TO, left: "{{job.parameters.source}}", right: x}
        - task_key: loops
          for_each_task:
            inputs: '["{{job.parameters.source}}"]'
            task: {task_key: loop, notebook_task: {notebook_path: exits.py}}
        - task_key: hands_on
          run_job_task:
            job_id: "${resources.jobs.other.id}"
            job_parameters: {source: "again {{job.parameters.source}}"}
        - task_key: takes
          depends_on: [{task_key: shows}]
          run_if: ALL_DONE
          notebook_task:
            notebook_path: exits.py
            base_parameters: {taken: "{{tasks.shows.values.one}}"}
    other:
      name: other
      parameters: [{name: source, default: none}]
      tasks:
        - {task_key: exits, notebook_task: {notebook_path: exits.py}}
"""
GET = """
import os
source = dbutils.widgets.get("source")
secrets = [dbutils.secrets.get("crm", "password"), dbutils.secrets.get("crm", "key"),
           os.environ["CRM_API_PASSWORD"], os.environ["DATABRICKS_TOKEN"],
           os.environ["SLACK_WEBHOOK_URL"], source]
"""
NOTEBOOKS = {
    "prints.py": GET + """
import base64, json, logging, subprocess, sys, urllib.parse, warnings
for secret in secrets:
    print(secret, repr(secret), ascii(secret), secret.encode(), [secret], json.dumps({"k": secret}))
    print(json.dumps({"k": secret}, ensure_ascii=False))
    print(urllib.parse.quote(secret), urllib.parse.quote(secret, ""))
    print(urllib.parse.quote_plus(secret))
    for user in ("", "u:", "us:", "usr:"):
        text = f"{user}{secret}!".encode()
        print(base64.b64encode(text).decode(), base64.urlsafe_b64encode(text).decode())
    logging.getLogger("crm").warning("logged %s", secret)
    warnings.warn(secret)
    sys.stderr.write(secret[:3]); sys.stderr.write(secret[3:])
    for letter in secret:
        os.write(1, letter.encode())
    subprocess.run(["echo", secret])

# COMMAND ----------

for secret in secrets:  # cut where the page leaves the middle out, on either side
    back = len(secret) // 2
    print("x" * (32 * 1024 - back) + secret + "y" * 400_000 + secret + "z" * (32 * 1024 - back))

# COMMAND ----------

# MAGIC %sh
# MAGIC env
# MAGIC echo "$NEXTBEST_SECRET_CRM_PASSWORD" "$NEXTBEST_SECRET_CRM_KEY"
""",
    "shows.py": GET + """
import html
import pandas as pd
frame = pd.DataFrame({"long": ["a long text before it " + secret for secret in secrets]})
display(frame)
display(frame.rename(columns={"long": secrets[0]})["a" if "a" in frame else secrets[0]])
display({"nested": {"list": [("words and words " * 5 + secret) for secret in secrets]}})
for secret in secrets:
    displayHTML(secret + html.escape(secret) + html.escape(secret, quote=False))
dbutils.jobs.taskValues.set("one", secrets[2])
dbutils.jobs.taskValues.set("summary", "done with " + " ".join(secrets))
dbutils.jobs.taskValues.set(secrets[0], {"deep": [secrets, {secrets[1]: 1}]})
secrets
""",
    "fails.py": GET + """
def connect(password):
    try:
        raise KeyError(password)
    except KeyError as error:
        raise RuntimeError("could not log in with " + " ".join(secrets)) from error
connect(secrets[0])
""",
    "exits.py": GET + 'dbutils.notebook.exit("it is " + " ".join(secrets))\n',
    "tracks.py": GET + """
import mlflow
with mlflow.start_run():
    for number, secret in enumerate(secrets):
        mlflow.log_param(f"p{number}", secret)
        mlflow.set_tag(f"t{number}", secret)
        mlflow.log_params({f"q{number}": secret, f"r{number}": f"user:{secret}"})
    mlflow.set_tags({f"u{number}": secret for number, secret in enumerate(secrets)})
    mlflow.set_experiment_tag("x", secrets[0])
client = mlflow.MlflowClient()
client.create_registered_model("a.b.c", tags={"t": secrets[0]}, description=secrets[1])
kept = mlflow.last_active_run()
assert kept.data.params["p2"] == "[REDACTED]", "it is blacked out, and the rest is kept"
assert kept.data.params["r2"] == "user:[REDACTED]"
""",
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_the_scan_finds_what_is_hidden(secret, tmp_path):
    forms = [
        secret, html.escape(secret), html.escape(json.dumps(secret)), json.dumps(secret),
        json.dumps(json.dumps(secret)), repr(secret), quote(secret, ""), quote_plus(secret),
        *(base64.b64encode(f"{'u' * n}{secret}!".encode()).decode() for n in range(4)),
        base64.urlsafe_b64encode(secret.encode()).decode(),
    ]  # fmt: skip
    for number, form in enumerate(forms):
        (tmp_path / f"{number}").write_bytes(b"\0before " + form.encode() + b" after\xff")
    assert len(secret_scan.in_folder([secret], tmp_path)) == len(forms)
    assert not secret_scan.in_folder(["something else"], tmp_path)


@pytest.fixture(scope="module")
def told(tmp_path_factory, make_project):
    """A run of everything that could tell, and the folder in which all of what it said is kept."""
    project = make_project(tmp_path_factory.mktemp("secrets"), JOBS, NOTEBOOKS, **PLANTED)
    run = project.dbb("run", "main", "--local", "--params", f"source={SOURCE}")
    (record,) = (each for each in project.records() if each["job_key"] == "main")
    said = [
        run,
        project.dbb("run", "main", "--local", "--only", "fails", "--json",
                    "--params", f"source={SOURCE}"),
        project.dbb("runs", "show", record["run_id"]),
        project.dbb("runs", "show", record["run_id"], "--json"),
        project.dbb("run", "main", "--local", "--params", f"sauce={SOURCE}"),
        project.dbb("run", "main", "--local", "--params", json.dumps({"password": IN_SETTING})),
        project.dbb("run", "main", "--local", "--repair", record["run_id"]),
    ]  # fmt: skip
    for number, each in enumerate(said):
        (project.lakehouse / f"said{number}.txt").write_text(each.stdout + each.stderr)
    return project, record, said


@pytest.mark.slow
def test_nothing_that_a_run_leaves_holds_a_secret(told):
    project, record, _ = told
    states = {task["key"]: (task["state"], task["error"]) for task in record["tasks"]}
    failed = {key for key, (state, _) in states.items() if state == "FAILED"}
    assert failed == {"fails"}, states  # the rest got to its end
    kept = [path.suffix for path in project.lakehouse.rglob("*") if path.is_file()]
    assert {".json", ".log", ".html", ".db", ".txt"} <= set(kept)
    assert secret_scan.in_folder([*SECRETS, *HALVES], project.lakehouse) == {}


@pytest.mark.slow
def test_what_is_no_secret_is_kept(told):
    project, record, said = told
    folder = project.lakehouse / "runs" / record["run_id"]
    page = (folder / "tasks" / "fails.1.html").read_text()
    assert "could not log in with [REDACTED]" in page
    assert "jdbc:sqlserver://h:1433;user=etl;password=[REDACTED];encrypt=true" in page
    assert "a long text before it" in (folder / "tasks" / "shows.1.html").read_text()
    assert record["parameters"]["source"] == SOURCE.replace(IN_SETTING, "[REDACTED]")
    assert "done with [REDACTED]" in said[0].stdout


@pytest.mark.slow
def test_a_run_whose_parameter_was_not_kept_is_not_repaired(told):
    _, _, said = told
    assert said[-1].returncode == 1
    assert "was given a secret in 'source'" in said[-1].stderr


def test_the_wheel_has_what_git_has_and_no_more(tmp_path):
    tree = tmp_path / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
         "src", "pyproject.toml", "README.md", "LICENSE", ".gitignore"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    for name in (".env", ".databrickscfg", "src/nextbest/.env", "src/nextbest/key.pem"):
        (tree / name).write_text("\n".join([*PLANTED.values(), SOURCE]))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"]
    subprocess.run(
        build, cwd=tree, env={**os.environ, **PLANTED}, check=True, capture_output=True
    )  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert secret_scan.in_folder(SECRETS, wheel.parent) == {}


def test_no_transcript_of_the_recording_workspace_has_the_token(monkeypatch, capfd, tmp_path):
    from nextbest.cli import main

    space = Workspace()
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.chdir(ROOT)
    main(["doctor", "-t", "dev"])
    main(["run", "training_job", "-t", "dev"])
    space.close()
    answered = [each for each in space.transcript if each.status == 200]
    assert answered, "the token was accepted"
    said = capfd.readouterr()
    everything = repr(space.transcript) + said.out + said.err
    assert secret_scan.found([TOKEN], everything.encode()) == set()
