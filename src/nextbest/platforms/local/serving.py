"""Model serving on loopback, with the request format of Databricks Model Serving.

An endpoint is one small file that names a model version; the server reads it, so that a new
version is served by writing the file anew. `POST /serving-endpoints/NAME/invocations` takes
`dataframe_records`, as on Databricks.
"""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nextbest.errors import DataError, NextBestError, PlatformError
from nextbest.platforms import Endpoint

HOST = "127.0.0.1"


class LocalServing:
    """The serving port: endpoints as files of the lakehouse, answered over real HTTP."""

    def __init__(self, lakehouse: Path) -> None:
        self._lakehouse = lakehouse

    def deploy(self, name: str, model_name: str, version: str) -> Endpoint:
        """Point the endpoint at a model version; the same again changes nothing."""
        target = _declaration(self._lakehouse, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({"model_name": model_name, "version": version}))
        draft.replace(target)
        return Endpoint(name, model_name, version, f"/serving-endpoints/{name}/invocations")

    def served(self, name: str) -> Endpoint | None:
        """What the endpoint serves, or None where it was never deployed."""
        declaration = _declaration(self._lakehouse, name)
        if not declaration.is_file():
            return None
        url = f"/serving-endpoints/{name}/invocations"
        return Endpoint(name, **json.loads(declaration.read_text()), url=url)

    def query(self, endpoint: Endpoint, records: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Ask the endpoint through a server that lives for this one request.

        Raises DataError with what it says when it refuses the records.
        """
        server = open_server(self._lakehouse, endpoint.name, 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://{HOST}:{server.server_address[1]}{endpoint.url}"
            body = json.dumps({"dataframe_records": list(records)}).encode()
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["predictions"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["error"]
            raise DataError(f"endpoint '{endpoint.name}' refused the records: {told}") from error
        finally:
            server.shutdown()
            server.server_close()


def open_server(lakehouse: Path, name: str, port: int) -> ThreadingHTTPServer:
    """A server on loopback that answers for one endpoint; port 0 takes a free one.

    Raises PlatformError when the endpoint was never deployed or the port is taken.
    """
    import mlflow

    declaration = _declaration(lakehouse, name)
    if not declaration.is_file():
        raise PlatformError(
            f"endpoint '{name}' is not deployed: run `dbb run serving_job --local` first"
        )
    served = json.loads(declaration.read_text())
    model = mlflow.pyfunc.load_model(f"models:/{served['model_name']}/{served['version']}")
    try:
        return ThreadingHTTPServer((HOST, port), _handler(name, model, served))
    except OSError as error:
        raise PlatformError(
            f"port {port} of {HOST} can't be opened ({error.strerror}): choose another, --port N"
        ) from error


def _declaration(lakehouse: Path, name: str) -> Path:
    return lakehouse / "serving" / f"{name}.json"


def plain(answer: Any) -> list[Any]:
    """What a model gives, as JSON has it: a frame, a column, an array or a list."""
    import numpy as np

    if hasattr(answer, "to_json"):
        return json.loads(answer.to_json(orient="records", double_precision=15))
    return np.asarray(answer).tolist()


def _handler(name: str, model: Any, served: Mapping[str, str]) -> type[BaseHTTPRequestHandler]:
    import pandas as pd
    from mlflow.exceptions import MlflowException

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in ("/health", "/ping"):
                self._answer(200, {"endpoint": name, **served})
            else:
                self._answer(404, {"error": f"no such page: {self.path}"})

        def do_POST(self) -> None:
            if self.path != f"/serving-endpoints/{name}/invocations":
                self._answer(404, {"error": f"this server answers for endpoint '{name}' only"})
                return
            try:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                rows = pd.DataFrame.from_records(body["dataframe_records"])
                answer = plain(model.predict(rows))
            except (ValueError, KeyError, TypeError, MlflowException, NextBestError) as error:
                self._answer(400, {"error": f"{type(error).__name__}: {error}"})
                return
            self._answer(200, {"predictions": answer})

        def _answer(self, status: int, body: Mapping[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not logged line by line."""

    return Handler
