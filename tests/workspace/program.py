"""A stand-in for the Databricks CLI: the `bundle` commands that dbb asks it for, over HTTP.

Like the CLI it knows what it deployed by a state of its own, not by names: what stands there but
is not in the state is created again, or refused. The state is a folder (BUNDLE_STATE), which stands
for the one in the workspace. A connection that is cut kills it on the spot, lock and all, so that
faults of the recorder are `kill -9` before or after any call. It takes no SDK: what it sends is
held to the SDK's types by the recorder.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path

from nextbest.bundle import find_root, load

DASHBOARDS = "/api/2.0/lakeview/dashboards"
CATALOG, MLFLOW, JOBS = "/api/2.1/unity-catalog", "/api/2.0/mlflow/experiments", "/api/2.2/jobs"
ALERTS = "/api/2.0/alerts"
SECRETS = "/api/2.0/secrets/scopes"
GROUPS = (
    "schemas", "volumes", "registered_models", "experiments", "secret_scopes", "jobs", "alerts",
    "dashboards",
)  # fmt: skip
NOT_SENT = ("permissions", "grants", "lifecycle")


def ask(method, path, body=None, **query):
    """JSON of an answer; ends this program where the workspace refuses."""
    url = f"{os.environ['DATABRICKS_HOST']}{path}"
    if query:
        url += f"?{urllib.parse.urlencode(query)}"
    head = {"Authorization": f"Bearer {os.environ['DATABRICKS_TOKEN']}"}
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, head, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.load(error)
        if error.code == 404 and (method == "DELETE" or path.endswith("/delete")):
            return {}  # it is gone
        sys.exit(f"Error: {method} {path}: {told['message']}")
    except (HTTPException, OSError):
        os.kill(os.getpid(), signal.SIGKILL)


class Deployment:
    """A bundle's target, and what is known to be deployed of it: name → {"id", "config"}."""

    def __init__(self, args):
        variables = dict(each.split("=", 1) for each in args.var)
        me = ask("GET", "/api/2.0/preview/scim/v2/Me")["userName"]
        self.bundle = load(find_root(Path.cwd()), args.target, variables, me)
        folder = Path(os.environ["BUNDLE_STATE"])
        self.file, self.lock = folder / f"{args.target}.json", folder / f"{args.target}.lock"
        self.state = json.loads(self.file.read_text()) if self.file.exists() else {}
        mark = f"{self.bundle.config['workspace']['state_path']}/metadata.json"
        self.mark = {"kind": "BUNDLE", "metadata_file_path": mark}

    def wanted(self):
        """What the bundle says, each after what it needs."""
        return {
            f"resources.{group}.{key}": {k: v for k, v in config.items() if k not in NOT_SENT}
            for group in GROUPS
            for key, config in (self.bundle.resources.get(group) or {}).items()
        }

    def plan(self):
        """name → action."""
        wanted, plan = self.wanted(), {}
        for name, config in wanted.items():
            known = self.state.get(name)
            told = json.loads(json.dumps(config, default=str))
            if known is None:
                plan[name] = "create"
            elif known["config"] is None or known["config"] == told:
                plan[name] = "update" if known["config"] is None else "skip"
            else:
                places = ("name", "schema_name", "catalog_name") if ".jobs." not in name else ()
                moved = any(known["config"].get(each) != config.get(each) for each in places)
                plan[name] = "recreate" if moved else "update"
        return plan | {name: "delete" for name in self.state if name not in wanted}

    def note(self, name, number, config):
        """Write down what was done; None: it is gone."""
        self.state.pop(name, None)
        if number is not None:
            told = json.loads(json.dumps(config, default=str))
            self.state[name] = {"id": number, "config": told}
        self.file.write_text(json.dumps(self.state))

    def apply(self, approved):
        plan = {name: action for name, action in self.plan().items() if action != "skip"}
        if {"delete", "recreate"} & set(plan.values()) and not approved:
            sys.exit("Error: this would delete something: --auto-approve")
        for name in [name for name in plan if plan[name] in ("delete", "recreate")][::-1]:
            self.delete(name)
        waiting = {name: config for name, config in self.wanted().items() if name in plan}
        while waiting:
            for name in list(waiting):
                config = self._settings(name, waiting[name])
                if config is not None:
                    number = self._put(name, config, self.state.get(name, {}).get("id"))
                    self.note(name, number, waiting.pop(name))

    def delete(self, name):
        group, number = name.split(".")[1], self.state[name]["id"]
        if group == "jobs":
            ask("POST", f"{JOBS}/delete", {"job_id": int(number)})
        elif group == "experiments":
            ask("POST", f"{MLFLOW}/delete", {"experiment_id": number})
        elif group == "secret_scopes":
            ask("POST", f"{SECRETS}/delete", {"scope": number})
        elif group == "alerts":
            ask("DELETE", f"{ALERTS}/{number}")
        elif group == "dashboards":
            ask("DELETE", f"{DASHBOARDS}/{number}")
        else:
            force = {"force": "true"} if group == "schemas" else {}
            place = "models" if group == "registered_models" else group
            ask("DELETE", f"{CATALOG}/{place}/{number}", **force)
        self.note(name, None, None)

    def _settings(self, name, config):
        """As it is sent; None where a job that it starts has no id yet."""
        if ".jobs." not in name:
            return config
        told = json.loads(json.dumps(config, default=str))
        for task in told["tasks"]:
            if "run_job_task" in task:
                other = self.state.get(f"resources.jobs.{task['run_job_task']['job_id']}")
                if other is None:
                    return None
                task["run_job_task"]["job_id"] = int(other["id"])
        return {**told, "deployment": self.mark, "edit_mode": "UI_LOCKED", "format": "MULTI_TASK"}

    def _put(self, name, config, number):
        group = name.split(".")[1]
        if group == "jobs":
            if number is None:
                return ask("POST", f"{JOBS}/create", config)["job_id"]
            ask("POST", f"{JOBS}/reset", {"job_id": int(number), "new_settings": config})
        elif group == "experiments":
            if number is None:
                return ask("POST", f"{MLFLOW}/create", config)["experiment_id"]
        elif group == "secret_scopes":
            if number is None:
                ask("POST", f"{SECRETS}/create", {"scope": config["name"]})
            return config["name"]
        elif group == "alerts":
            if number is None:
                return ask("POST", ALERTS, config)["id"]
            ask("PATCH", f"{ALERTS}/{number}", config, update_mask=",".join(config))
        elif group == "dashboards":
            return self._dashboard(config, number)
        else:
            place = f"{CATALOG}/{'models' if group == 'registered_models' else group}"
            if number is None:
                return ask("POST", place, config)["full_name"]
            ask("PATCH", f"{place}/{number}", {"comment": config.get("comment", "")})
        return number

    def _dashboard(self, config, number):
        """A draft, then published; the file's content goes with it."""
        file = self.bundle.root / "resources" / config["file_path"]
        names = ("display_name", "parent_path", "warehouse_id")
        draft = {name: config[name] for name in names if config.get(name)}
        draft["serialized_dashboard"] = file.read_text(encoding="utf-8")
        home = {name: config[name] for name in ("dataset_catalog", "dataset_schema")}
        if number is None:
            number = ask("POST", DASHBOARDS, draft, **home)["dashboard_id"]
        else:
            ask("PATCH", f"{DASHBOARDS}/{number}", draft, **home)
        ask("POST", f"{DASHBOARDS}/{number}/published",
            {"embed_credentials": config["embed_credentials"]})  # fmt: skip
        return number


def main(words):
    with (Path(os.environ["BUNDLE_STATE"]) / "asked.jsonl").open("a") as log:
        log.write(json.dumps(words) + "\n")
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+")
    for flag in ("--auto-approve", "--force-lock"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--target")
    parser.add_argument("--var", action="append", default=[])
    parser.add_argument("--output")
    args = parser.parse_args(words)
    deployment, (_, verb, *more) = Deployment(args), args.words
    if verb in ("plan", "deploy"):
        for each in deployment.bundle.config["artifacts"].values():
            subprocess.run(each["build"], shell=True, check=True, cwd=deployment.bundle.root)
    if verb == "plan":
        told = {name: {"action": action} for name, action in deployment.plan().items()}
        print(json.dumps({"plan_version": 2, "plan": told}))
        return
    if verb == "summary":
        told = {}
        for name, known in deployment.state.items():
            _, group, key = name.split(".")
            told.setdefault(group, {})[key] = {"id": known["id"]}
        print(json.dumps({"resources": told}))
        return
    if deployment.lock.exists() and not args.force_lock:
        sys.exit("Error: Failed to acquire deployment lock: --force-lock overrides it")
    deployment.lock.touch()
    try:
        change(deployment, verb, more, args.auto_approve)
    finally:
        deployment.lock.unlink()


def change(deployment, verb, more, approved):
    if verb == "deploy":
        deployment.apply(approved)
    elif verb == "destroy":
        for name in list(deployment.state)[::-1]:
            deployment.delete(name)
        deployment.file.unlink(missing_ok=True)
    else:
        act, key, *number = more
        (name,) = [each for each in deployment.wanted() if each.endswith(f".{key}")]
        deployment.note(name, number[0] if act == "bind" else None, None)


if __name__ == "__main__":
    main(sys.argv[1:])
