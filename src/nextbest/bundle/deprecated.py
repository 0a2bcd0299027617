"""What Databricks still takes, but has announced to drop: `dbb validate` warns of it.

Fields as the docstrings of databricks-bundles mark them (a test compares both), those of
databricks.yml itself as the JSON schema of the Databricks CLI 1.13 does.
"""

from __future__ import annotations

_TO_SETTINGS = "write notification_settings.no_alert_for_skipped_runs"

# Type.field (see fields.py) → what to write instead.
FIELDS = {
    "BundleSection.compute_id": "write cluster_id",
    "Experimental.pydabs": "write python at the top level",
    "JobEmailNotifications.no_alert_for_skipped_runs": _TO_SETTINGS,
    "TaskEmailNotifications.no_alert_for_skipped_runs": _TO_SETTINGS,
    "Task.spark_submit_task": "write spark_jar_task",
    "Task.gen_ai_compute_task": "write ai_runtime_task",
    "SparkJarTask.jar_uri": "name the jar in libraries, or in java_dependencies of the environment",
    "SparkJarTask.run_as_repl": "remove it: it is always true",
    "Library.egg": "build a wheel and name it as whl",
    "InitScriptInfo.dbfs": "keep the script in a volume or the workspace",
    "GcpAttributes.use_preemptible_executors": "write availability",
    "Environment.client": "write environment_version",
    "AiGatewayGuardrailParameters.invalid_keywords": "remove it",
    "AiGatewayGuardrailParameters.valid_topics": "remove it",
    "EndpointCoreConfigInput.auto_capture_config": "write ai_gateway.inference_table_config",
    "EndpointCoreConfigInput.served_models": "write served_entities",
    "ModelServingEndpoint.rate_limits": "write ai_gateway.rate_limits",
    "Alert.run_as_user_name": "write run_as",
}

_LEGACY = "write SINGLE_USER or USER_ISOLATION: the runtime drops this mode"

# Enumeration.VALUE → what to write instead.
VALUES = {
    "DataSecurityMode.LEGACY_TABLE_ACL": _LEGACY,
    "DataSecurityMode.LEGACY_PASSTHROUGH": _LEGACY,
    "DataSecurityMode.LEGACY_SINGLE_USER": _LEGACY,
    "DataSecurityMode.LEGACY_SINGLE_USER_STANDARD": _LEGACY,
}
