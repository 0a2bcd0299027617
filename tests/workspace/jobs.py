"""Jobs and their runs: pending at the first look, running at the second, then as they end.

kept["jobs"]: id → {"name", "tasks": keys} and, where it was deployed, "settings"; kept["ends"]:
task → (termination code, error), where it is not SUCCESS; kept["runs"]: id → what it was started
with.
"""

from __future__ import annotations

from databricks.sdk.service.jobs import JobsAPI, RepairRunResponse, RunNowResponse

from workspace.routes import Refused, absent, route

PREFIX = "/api/2.2/jobs"
LIST, RUN_NOW = f"{PREFIX}/list", f"{PREFIX}/run-now"
GET_RUN, OUTPUT = f"{PREFIX}/runs/get", f"{PREFIX}/runs/get-output"
REPAIR = f"{PREFIX}/runs/repair"
GET, CREATE, RESET, DELETE = (f"{PREFIX}/{word}" for word in ("get", "create", "reset", "delete"))


@route("GET", LIST, JobsAPI.list)
def listed(space, asked):
    """In pages of one, by name as Databricks does: whatever the case."""
    wanted = asked.query["name"].lower()
    found = sorted(key for key, job in space.kept["jobs"].items() if job["name"].lower() == wanted)
    at = int(asked.query.get("page_token", 0))
    jobs = [
        {"job_id": key, "settings": {"name": space.kept["jobs"][key]["name"]}}
        for key in found[at : at + 1]
    ]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(found) else {}
    return {"jobs": jobs, "has_more": bool(more), **more}


def _kept(settings):
    """Tasks are known by their keys to whoever runs the job."""
    tasks = [task["task_key"] for task in settings.get("tasks", [])]
    return {"name": settings["name"], "tasks": tasks, "settings": settings}


def _job(space, key):
    if key not in space.kept["jobs"]:
        raise absent(f"Job {key}")
    return space.kept["jobs"][key]


@route("GET", GET, JobsAPI.get)
def get(space, asked):
    key = int(asked.query["job_id"])
    job = _job(space, key)
    return {"job_id": key, "settings": job.get("settings", {"name": job["name"]})}


@route("POST", CREATE, JobsAPI.create)
def create(space, asked):
    """Names need not be unique."""
    key = space.number()
    space.kept["jobs"][key] = _kept(asked.body)
    return {"job_id": key}


@route("POST", RESET, JobsAPI.reset, dict)
def reset(space, asked):
    _job(space, asked.body["job_id"])
    space.kept["jobs"][asked.body["job_id"]] = _kept(asked.body["new_settings"])
    return {}


@route("POST", DELETE, JobsAPI.delete, dict)
def delete(space, asked):
    _job(space, asked.body["job_id"])
    del space.kept["jobs"][asked.body["job_id"]]
    return {}


@route("POST", RUN_NOW, JobsAPI.run_now, RunNowResponse)
def run_now(space, asked):
    key, token = asked.body["job_id"], asked.body["idempotency_token"]
    if key not in space.kept["jobs"]:
        raise absent(f"Job {key}")
    if token not in space.kept["tokens"]:
        number = space.kept["tokens"][token] = len(space.kept["runs"]) + 1
        tasks = asked.body.get("only") or space.kept["jobs"][key]["tasks"]
        space.kept["runs"][number] = {**asked.body, "tasks": list(tasks), "looks": 0, "repairs": []}
    return {"run_id": space.kept["tokens"][token]}


def _run(space, asked):
    number = int(asked.query["run_id"])
    if number not in space.kept["runs"]:
        raise absent(f"Run {number}")
    return number, space.kept["runs"][number]


def _status(run, end):
    if run["looks"] <= 2:
        return {"state": ("PENDING", "RUNNING")[run["looks"] - 1]}
    code, message = end
    kind = "SUCCESS" if code.startswith("SUCCESS") else "CLIENT_ERROR"
    return {
        "state": "TERMINATED",
        "termination_details": {"code": code, "type": kind, "message": message},
    }


@route("GET", GET_RUN, JobsAPI.get_run)
def get_run(space, asked):
    number, run = _run(space, asked)
    if "include_history" not in asked.query:
        run["looks"] += 1
    run["looks"] = max(run["looks"], 1)
    ends = {key: space.kept["ends"].get(key, ("SUCCESS", "")) for key in run["tasks"]}
    failed = [key for key, (code, _) in ends.items() if code != "SUCCESS"]
    page = f"https://workspace.example/run/{number}"
    return {
        "run_id": number,
        "run_page_url": page,
        "status": _status(run, ("RUN_EXECUTION_ERROR", f"failed: {failed}")
                          if failed else ("SUCCESS", "")),
        "repair_history": [{"id": each} for each in run["repairs"]],
        "tasks": [
            {"task_key": key, "run_id": 1000 * number + at, "run_page_url": f"{page}/{key}",
             "status": _status(run, ends[key])}
            for at, key in enumerate(run["tasks"])
        ],
    }  # fmt: skip


@route("GET", OUTPUT, JobsAPI.get_run_output)
def get_output(space, asked):
    number, at = divmod(int(asked.query["run_id"]), 1000)
    key = space.kept["runs"][number]["tasks"][at]
    return {"error": space.kept["ends"][key][1]}


@route("POST", REPAIR, JobsAPI.repair_run, RepairRunResponse)
def repair(space, asked):
    run = space.kept["runs"][asked.body["run_id"]]
    if run["looks"] <= 2:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "The run is active.")
    if asked.body.get("latest_repair_id") != (run["repairs"] or [None])[-1]:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "Another repair came first.")
    run["repairs"].append(len(run["repairs"]) + 71)
    run["looks"] = 0
    return {"repair_id": run["repairs"][-1]}
