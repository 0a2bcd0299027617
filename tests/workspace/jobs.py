"""Jobs and their runs: pending at the first look, running at the second, then as they end.

kept["jobs"]: id → {"name", "tasks": keys} and, where it was deployed, "settings"; kept["ends"]:
task → (termination code, error), where it is not SUCCESS; kept["runs"]: id → what it was started
with, and the attempts of its tasks. After a repair it shows its old end for
kept["slow to repair"]["looks"] looks, and the repair in its history only at the last of them.
kept["queue"]: "looks" for which a run is queued at first, and its "code" and "message".
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
        attempts = [{"key": key, "number": 0, "end": None} for key in tasks]
        space.kept["runs"][number] = {
            **asked.body, "attempts": attempts, "looks": 0, "repairs": [], "stale": 0,
        }  # fmt: skip
    return {"run_id": space.kept["tokens"][token]}


def _run(space, number):
    if number not in space.kept["runs"]:
        raise absent(f"Run {number}")
    return space.kept["runs"][number]


def _end(space, attempt):
    return attempt["end"] or space.kept["ends"].get(attempt["key"], ("SUCCESS", ""))


def _ended(code, message):
    kind = "SUCCESS" if code.startswith("SUCCESS") else "CLIENT_ERROR"
    details = {"code": code, "type": kind, "message": message}
    return {"state": "TERMINATED", "termination_details": details}


def _status(space, run, end):
    if run["queued"]:
        queue = space.kept["queue"]
        return {"state": "QUEUED", "queue_details": {k: queue[k] for k in queue if k != "looks"}}
    if run["looks"] <= 3:
        return {"state": ("PENDING", "RUNNING", "TERMINATING")[max(run["looks"], 1) - 1]}
    return _ended(*end)


def _whole(space, attempts):
    """How a run with these last attempts ends."""
    last = {each["key"]: _end(space, each)[0] for each in attempts}
    failed = [key for key, code in last.items() if code != "SUCCESS"]
    return ("RUN_EXECUTION_ERROR", f"failed: {failed}") if failed else ("SUCCESS", "")


@route("GET", GET_RUN, JobsAPI.get_run)
def get_run(space, asked):
    """Tasks in pages of two; after a repair with the earlier attempts, the newest first."""
    number, at = int(asked.query["run_id"]), int(asked.query.get("page_token", 0))
    run = _run(space, number)
    if not at:
        stale, run["stale"] = run["stale"], max(run["stale"] - 1, 0)
        run["now"] = "old" if stale else "new"
        run["queued"] = space.kept["queue"].get("looks", 0) > 0
        if run["queued"]:
            space.kept["queue"]["looks"] -= 1
        run["looks"] += not stale and not run["queued"]
        for each in run["attempts"] if run["looks"] > 3 else ():
            each["end"] = _end(space, each)  # as it is now, whatever is changed later
    old = run["now"] == "old"
    shown = [each for each in run["attempts"] if each["end"] or not old]
    repairs = run["repairs"][: -1 if old and run["stale"] else None]
    url = f"https://workspace.example/run/{number}"
    tasks = [
        {"task_key": each["key"], "run_id": 1000 * number + run["attempts"].index(each),
         "run_page_url": f"{url}/{each['key']}", "attempt_number": each["number"],
         "start_time": 1 + each["number"] if each["end"] or run["looks"] > 1 else 0,
         "status": _ended(*each["end"]) if each["end"] else _status(space, run, _end(space, each))}
        for each in sorted(shown, key=lambda each: -each["number"])
    ]  # fmt: skip
    status = _ended(*_whole(space, shown)) if old else _status(space, run, _whole(space, shown))
    more = {"next_page_token": str(at + 2)} if at + 2 < len(tasks) else {}
    return {
        "run_id": number,
        "run_page_url": url,
        "status": status,
        "repair_history": [
            {"type": "ORIGINAL"},
            *({"type": "REPAIR", "id": each, "status": {"state": "PENDING"} if old else status}
              for each in repairs),
        ] if asked.query.get("include_history") == "true" and not at else [],
        "tasks": tasks[at : at + 2],
        **more,
    }  # fmt: skip


@route("GET", OUTPUT, JobsAPI.get_run_output)
def get_output(space, asked):
    number, at = divmod(int(asked.query["run_id"]), 1000)
    return {"error": _end(space, _run(space, number)["attempts"][at])[1]}


@route("POST", REPAIR, JobsAPI.repair_run, RepairRunResponse)
def repair(space, asked):
    run = _run(space, asked.body["run_id"])
    if run["looks"] <= 3:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "The run is active.")
    if asked.body.get("latest_repair_id") != (run["repairs"] or [None])[-1]:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "Another repair came first.")
    last = {each["key"]: each for each in run["attempts"]}
    run["attempts"] += [
        {"key": key, "number": each["number"] + 1, "end": None}
        for key, each in last.items() if each["end"][0] != "SUCCESS"
    ]  # fmt: skip
    run["repairs"].append(len(run["repairs"]) + 71)
    run["looks"], run["stale"] = 0, space.kept["slow to repair"].get("looks", 0)
    return {"repair_id": run["repairs"][-1]}
