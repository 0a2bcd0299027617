"""MLflow tracking as Databricks serves it: MLflow's own store behind its own messages.

Artifacts stand where Databricks puts them; the store is made at the first call.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from google.protobuf.json_format import ParseDict
from mlflow import entities
from mlflow.exceptions import MlflowException
from mlflow.protos import service_pb2 as messages
from mlflow.utils.proto_json_utils import message_to_json
from mlflow.utils.rest_utils import _REST_API_PATH_PREFIX, extract_api_info_for_service

from nextbest.platforms.local.tracking import create_database
from workspace.routes import Refused, route

ARTIFACTS = "dbfs:/databricks/mlflow-tracking"
PLACES = extract_api_info_for_service(messages.MlflowService, _REST_API_PATH_PREFIX)


def _store(space):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    if "store" not in space.kept["tracking"]:
        folder = tempfile.TemporaryDirectory(prefix="tracking-")
        create_database(Path(folder.name))
        place = f"sqlite:///{folder.name}/mlflow/mlflow.db"
        space.kept["tracking"] = {"folder": folder, "store": SqlAlchemyStore(place, ARTIFACTS)}
    return space.kept["tracking"]["store"]


def tracked(message):
    """Declare the endpoint of a message: the function gets the store, the message, its answer."""
    template, method = PLACES[message]

    def declare(answer):
        def answered(space, asked):
            given = ParseDict({**asked.query, **asked.path, **(asked.body or {})}, message())
            told = message.Response()
            try:
                answer(_store(space), given, told)
            except MlflowException as error:
                status = error.get_http_status_code()
                raise Refused(status, error.error_code, error.message) from error
            # Where Databricks keeps the files of a logged model.
            return json.loads(message_to_json(told).replace("/models/m-", "/logged_models/m-"))

        route(method, template, message, client="mlflow")(answered)
        return answer

    return declare


@tracked(messages.GetExperimentByName)
def experiment_by_name(store, asked, told):
    found = store.get_experiment_by_name(asked.experiment_name)
    if found is None:
        name = asked.experiment_name
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Node {name} does not exist.")
    told.experiment.MergeFrom(found.to_proto())


@tracked(messages.CreateExperiment)
def create_experiment(store, asked, told):
    if not asked.name.startswith("/"):
        raise Refused(400, "INVALID_PARAMETER_VALUE", "An experiment's name is an absolute path.")
    told.experiment_id = store.create_experiment(asked.name)


@tracked(messages.GetExperiment)
def get_experiment(store, asked, told):
    told.experiment.MergeFrom(store.get_experiment(asked.experiment_id).to_proto())


@tracked(messages.CreateRun)
def create_run(store, asked, told):
    tags = [entities.RunTag(each.key, each.value) for each in asked.tags]
    run = store.create_run(
        asked.experiment_id, asked.user_id, asked.start_time, tags, asked.run_name
    )
    told.run.MergeFrom(run.to_proto())


@tracked(messages.GetRun)
def get_run(store, asked, told):
    told.run.MergeFrom(store.get_run(asked.run_id).to_proto())


@tracked(messages.UpdateRun)
def update_run(store, asked, told):
    name = asked.run_name if asked.HasField("run_name") else None
    info = store.update_run_info(asked.run_id, asked.status, asked.end_time, name)
    told.run_info.MergeFrom(info.to_proto())


@tracked(messages.LogBatch)
def log_batch(store, asked, told):
    store.log_batch(
        asked.run_id,
        [entities.Metric.from_proto(each) for each in asked.metrics],
        [entities.Param.from_proto(each) for each in asked.params],
        [entities.RunTag.from_proto(each) for each in asked.tags],
    )


@tracked(messages.LogOutputs)
def log_outputs(store, asked, told):
    models = [entities.LoggedModelOutput.from_proto(each) for each in asked.models]
    store.log_outputs(asked.run_id, models)


@tracked(messages.CreateLoggedModel)
def create_logged_model(store, asked, told):
    model = store.create_logged_model(
        asked.experiment_id,
        name=asked.name or None,
        source_run_id=asked.source_run_id or None,
        tags=[entities.LoggedModelTag(each.key, each.value) for each in asked.tags],
        params=[entities.LoggedModelParameter(each.key, each.value) for each in asked.params],
        model_type=asked.model_type or None,
    )
    told.model.CopyFrom(model.to_proto())


@tracked(messages.FinalizeLoggedModel)
def finalize_logged_model(store, asked, told):
    status = entities.LoggedModelStatus.from_proto(asked.status)
    told.model.CopyFrom(store.finalize_logged_model(asked.model_id, status).to_proto())


@tracked(messages.GetLoggedModel)
def get_logged_model(store, asked, told):
    told.model.CopyFrom(store.get_logged_model(asked.model_id).to_proto())


@tracked(messages.SetLoggedModelTags)
def tag_logged_model(store, asked, told):
    tags = [entities.LoggedModelTag(each.key, each.value) for each in asked.tags]
    store.set_logged_model_tags(asked.model_id, tags)
    told.model.CopyFrom(store.get_logged_model(asked.model_id).to_proto())
