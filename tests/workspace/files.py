"""The Files API, by which MLflow keeps artifacts and versions; kept["files"]: path → bytes."""

from __future__ import annotations

from databricks.sdk.service.files import FilesAPI

from workspace.routes import absent, route

FILE = "/api/2.0/fs/files{file_path*}"
DIRECTORY = "/api/2.0/fs/directories{directory_path*}"


def _below(space, folder):
    return [path for path in space.kept["files"] if path.startswith(f"{folder.rstrip('/')}/")]


@route("PUT", FILE, FilesAPI.upload, client="mlflow")
def upload(space, asked):
    space.kept["files"][asked.path["file_path"]] = asked.body
    return b""


@route("GET", FILE, FilesAPI.download, client="mlflow")
def download(space, asked):
    if asked.path["file_path"] not in space.kept["files"]:
        raise absent(f"File {asked.path['file_path']}")
    return space.kept["files"][asked.path["file_path"]]


@route("HEAD", DIRECTORY, FilesAPI.get_directory_metadata, client="mlflow")
def directory(space, asked):
    if not _below(space, asked.path["directory_path"]):
        raise absent("Directory")
    return b""


@route("GET", DIRECTORY, FilesAPI.list_directory_contents, client="mlflow")
def contents(space, asked):
    """Files and folders right below a folder, in pages of two."""
    folder = asked.path["directory_path"].rstrip("/")
    names = sorted({path[len(folder) + 1 :].split("/")[0] for path in _below(space, folder)})
    at = int(asked.query.get("page_token", 0))
    entries = []
    for path in [f"{folder}/{name}" for name in names[at : at + 2]]:
        file = space.kept["files"].get(path)
        size = {} if file is None else {"file_size": len(file)}
        entries.append({"path": path, "is_directory": file is None, **size})
    more = {"next_page_token": str(at + 2)} if at + 2 < len(names) else {}
    return {"contents": entries, **more}
