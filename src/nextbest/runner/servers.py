"""Servers that a person starts by hand on loopback: the local endpoint and MLflow's pages."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

from nextbest.bundle import find_root
from nextbest.errors import RunError, UsageError
from nextbest.platforms.local.environment import chosen_lakehouse, environment

HOST = "127.0.0.1"


def serve(args: argparse.Namespace) -> int:
    """Answer requests for a deployed endpoint until Ctrl-C; args.endpoint, args.port."""
    lakehouse = chosen_lakehouse(args.lakehouse, find_root(Path.cwd()))
    endpoint = args.endpoint or _only_endpoint(lakehouse)
    _require_free(args.port)
    from nextbest.platforms.local.serving import open_server

    os.environ.update(environment(lakehouse))
    server = open_server(lakehouse, endpoint, args.port)
    url = f"http://{HOST}:{server.server_address[1]}/serving-endpoints/{endpoint}/invocations"
    print(f"{endpoint} answers at {url} (POST dataframe_records; Ctrl-C ends)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def mlflow(args: argparse.Namespace) -> int:
    """Show MLflow's pages over the lakehouse until Ctrl-C; args.port."""
    lakehouse = chosen_lakehouse(args.lakehouse, find_root(Path.cwd()))
    if not (lakehouse / "mlflow" / "mlflow.db").is_file():
        raise RunError(f"nothing was logged in {lakehouse} yet: run `make demo` first")
    _require_free(args.port)

    known = {**os.environ, **environment(lakehouse)}
    print(f"MLflow opens at http://{HOST}:{args.port} (Ctrl-C ends)", flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(args.port)]
    store = known["MLFLOW_TRACKING_URI"]
    try:
        return subprocess.run([*command, "--backend-store-uri", store], env=known).returncode
    except KeyboardInterrupt:
        return 0


def _only_endpoint(lakehouse: Path) -> str:
    names = sorted(path.stem for path in (lakehouse / "serving").glob("*.json"))
    if not names:
        raise RunError("no endpoint is deployed: run `dbb run serving_job --local` first")
    if len(names) > 1:
        raise UsageError(f"several endpoints are deployed: name one, --endpoint {'|'.join(names)}")
    return names[0]


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise RunError(
                f"port {port} of {HOST} can't be opened ({error}): choose another, --port N"
            ) from error
