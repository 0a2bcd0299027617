"""Which test holds which of MLflow's calls to every fault: each is in one of these."""

from __future__ import annotations

from workspace.server import ROUTES

MLFLOW = "/api/2.0/mlflow"
UC = f"{MLFLOW}/unity-catalog"
# unit/registry/test_registry_faults.py
OF_THE_REGISTRY = {
    "alias": ("GET", f"{UC}/registered-models/alias"),
    "aliases": ("GET", f"{UC}/registered-models/get"),
    "search": ("GET", f"{UC}/model-versions/search"),
    "version": ("GET", f"{UC}/model-versions/get"),
    "name": ("POST", f"{UC}/registered-models/alias"),
    "unname": ("DELETE", f"{UC}/registered-models/alias"),
    "verdict": ("POST", f"{UC}/model-versions/set-tag"),
    "experiment": ("GET", f"{MLFLOW}/experiments/get"),
}
# acceptance/deploy/test_interrupted.py
OF_A_DEPLOY = {
    ("POST", f"{UC}/registered-models/set-tag"),
    ("PATCH", f"{UC}/registered-models/update"),
}
# acceptance/test_mlflow_faults.py
OF_A_TRAINING = [
    (route.method, route.template)
    for route in ROUTES
    if route.client == "mlflow"
    and (route.method, route.template) not in {*OF_A_DEPLOY, *OF_THE_REGISTRY.values()}
    or (route.method, route.template) == OF_THE_REGISTRY["name"]  # a training names its candidate
]
