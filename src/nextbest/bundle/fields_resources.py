"""Fields of the other resources this project declares, as in databricks-bundles (see fields.py)."""

from __future__ import annotations

TYPES = """
MlflowExperiment = name! artifact_location lifecycle:Lifecycle
    permissions:[MlflowExperimentPermission] tags:[ExperimentTag]
    trace_location:ExperimentTraceLocation
MlflowExperimentPermission = level!:ExperimentPermissionLevel group_name service_principal_name
    user_name
ExperimentTag = key value
ExperimentTraceLocation = uc_trace_location:UcTraceLocation
UcTraceLocation = catalog! schema! table_prefix
RegisteredModel = aliases:[RegisteredModelAlias] catalog_name comment created_at:int created_by
    full_name grants:[PrivilegeAssignment] lifecycle:Lifecycle metastore_id name owner
    schema_name storage_location updated_at:int updated_by
RegisteredModelAlias = alias_name catalog_name id model_name schema_name version_num:int
PrivilegeAssignment = principal privileges:[Privilege]
Schema = catalog_name! name! comment custom_max_retention_hours:int grants:[PrivilegeAssignment]
    lifecycle:Lifecycle properties:{str} storage_root
Volume = catalog_name! name! schema_name! comment grants:[PrivilegeAssignment]
    lifecycle:Lifecycle storage_location volume_type:VolumeType
ModelServingEndpoint = name! ai_gateway:AiGatewayConfig budget_policy_id
    config:EndpointCoreConfigInput description email_notifications:EmailNotifications
    lifecycle:Lifecycle permissions:[ModelServingEndpointPermission] rate_limits:[RateLimit]
    route_optimized:bool tags:[EndpointTag] telemetry_config:TelemetryConfig
AiGatewayConfig = fallback_config:FallbackConfig guardrails:AiGatewayGuardrails
    inference_table_config:AiGatewayInferenceTableConfig rate_limits:[AiGatewayRateLimit]
    usage_tracking_config:AiGatewayUsageTrackingConfig
FallbackConfig = enabled!:bool
AiGatewayGuardrails = input:AiGatewayGuardrailParameters output:AiGatewayGuardrailParameters
AiGatewayGuardrailParameters = invalid_keywords:[str] pii:AiGatewayGuardrailPiiBehavior
    safety:bool valid_topics:[str]
AiGatewayGuardrailPiiBehavior = behavior:AiGatewayGuardrailPiiBehaviorBehavior
AiGatewayInferenceTableConfig = catalog_name enabled:bool schema_name table_name_prefix
AiGatewayRateLimit = renewal_period!:AiGatewayRateLimitRenewalPeriod calls:int
    key:AiGatewayRateLimitKey principal tokens:int
AiGatewayUsageTrackingConfig = enabled:bool
EndpointCoreConfigInput = auto_capture_config:AutoCaptureConfigInput
    served_entities:[ServedEntityInput] served_models:[ServedModelInput]
    traffic_config:TrafficConfig
AutoCaptureConfigInput = catalog_name enabled:bool schema_name table_name_prefix
ServedEntityInput = burst_scaling_enabled:bool entity_name entity_version environment_vars:{str}
    external_model:ExternalModel instance_profile_arn max_provisioned_concurrency:int
    max_provisioned_throughput:int min_provisioned_concurrency:int min_provisioned_throughput:int
    name provisioned_model_units:int scale_to_zero_enabled:bool workload_size
    workload_type:ServingModelWorkloadType
ExternalModel = name! provider!:ExternalModelProvider task! ai21labs_config:Ai21LabsConfig
    amazon_bedrock_config:AmazonBedrockConfig anthropic_config:AnthropicConfig
    cohere_config:CohereConfig custom_provider_config:CustomProviderConfig
    databricks_model_serving_config:DatabricksModelServingConfig
    google_cloud_vertex_ai_config:GoogleCloudVertexAiConfig openai_config:OpenAiConfig
    palm_config:PaLmConfig
Ai21LabsConfig = ai21labs_api_key ai21labs_api_key_plaintext
AmazonBedrockConfig = aws_region! bedrock_provider!:AmazonBedrockConfigBedrockProvider
    aws_access_key_id aws_access_key_id_plaintext aws_secret_access_key
    aws_secret_access_key_plaintext instance_profile_arn uc_service_credential_name
AnthropicConfig = anthropic_api_key anthropic_api_key_plaintext
CohereConfig = cohere_api_base cohere_api_key cohere_api_key_plaintext
CustomProviderConfig = custom_provider_url! api_key_auth:ApiKeyAuth
    bearer_token_auth:BearerTokenAuth
ApiKeyAuth = key! value value_plaintext
BearerTokenAuth = token token_plaintext
DatabricksModelServingConfig = databricks_workspace_url! databricks_api_token
    databricks_api_token_plaintext
GoogleCloudVertexAiConfig = project_id! region! private_key private_key_plaintext
OpenAiConfig = microsoft_entra_client_id microsoft_entra_client_secret
    microsoft_entra_client_secret_plaintext microsoft_entra_tenant_id openai_api_base
    openai_api_key openai_api_key_plaintext openai_api_type openai_api_version
    openai_deployment_name openai_organization
PaLmConfig = palm_api_key palm_api_key_plaintext
ServedModelInput = model_name! model_version! scale_to_zero_enabled!:bool
    burst_scaling_enabled:bool environment_vars:{str} instance_profile_arn
    max_provisioned_concurrency:int max_provisioned_throughput:int
    min_provisioned_concurrency:int min_provisioned_throughput:int name
    provisioned_model_units:int workload_size workload_type:ServedModelInputWorkloadType
TrafficConfig = routes:[Route]
Route = traffic_percentage!:int served_entity_name served_model_name
EmailNotifications = on_update_failure:[str] on_update_success:[str]
ModelServingEndpointPermission = level!:ServingEndpointPermissionLevel group_name
    service_principal_name user_name
RateLimit = calls!:int renewal_period!:RateLimitRenewalPeriod key:RateLimitKey
EndpointTag = key! value
TelemetryConfig = enabled_telemetry_features:[TelemetryFeature]
    inference_table_config:TelemetryInferenceTableConfig table_names:UnityCatalogTableNames
    telemetry_profile_id
TelemetryInferenceTableConfig = sampling_fraction:float
UnityCatalogTableNames = annotations_table logs_table metrics_table traces_table
QualityMonitor = assets_dir! output_schema_name! table_name! baseline_table_name
    custom_metrics:[MonitorMetric] data_classification_config:MonitorDataClassificationConfig
    inference_log:MonitorInferenceLog latest_monitor_failure_msg lifecycle:Lifecycle
    notifications:MonitorNotifications schedule:MonitorCronSchedule skip_builtin_dashboard:bool
    slicing_exprs:[str] snapshot:MonitorSnapshot time_series:MonitorTimeSeries warehouse_id
MonitorMetric = definition! name! output_data_type! type!:MonitorMetricType input_columns:[str]
MonitorDataClassificationConfig = enabled:bool
MonitorInferenceLog = model_id_col! prediction_col! problem_type!:MonitorInferenceLogProblemType
    timestamp_col! granularities:[str] label_col prediction_proba_col
MonitorNotifications = on_failure:MonitorDestination
    on_new_classification_tag_detected:MonitorDestination
MonitorDestination = email_addresses:[str]
MonitorCronSchedule = quartz_cron_expression! timezone_id!
    pause_status:MonitorCronSchedulePauseStatus
MonitorSnapshot =
MonitorTimeSeries = timestamp_col! granularities:[str]
Alert = display_name! evaluation!:AlertV2Evaluation query_text! schedule!:AlertCronSchedule
    warehouse_id! custom_description custom_summary custom_template_format:CustomTemplateFormat
    file_path lifecycle:Lifecycle parameters:[AlertStatementParameter] parent_path
    permissions:[Permission] run_as:AlertV2RunAs run_as_user_name
AlertV2Evaluation = comparison_operator!:ComparisonOperator source!:AlertV2OperandColumn
    empty_result_state:AlertEvaluationState notification:AlertV2Notification
    threshold:AlertV2Operand
AlertV2OperandColumn = name! aggregation:Aggregation display
AlertV2Notification = notify_on_ok:bool retrigger_seconds:int subscriptions:[AlertV2Subscription]
AlertV2Subscription = destination_id user_email
AlertV2Operand = column:AlertV2OperandColumn value:AlertV2OperandValue
AlertV2OperandValue = bool_value:bool double_value:float string_value
AlertCronSchedule = quartz_cron_schedule! timezone_id! pause_status:SchedulePauseStatus
AlertStatementParameter = name! type value
Permission = level!:PermissionLevel group_name service_principal_name user_name
AlertV2RunAs = service_principal_name user_name
Dashboard = create_time dashboard_id dataset_catalog dataset_schema display_name
    embed_credentials:bool etag file_path lifecycle:Lifecycle lifecycle_state:LifecycleState
    parent_path path permissions:[Permission] serialized_dashboard:any update_time warehouse_id
SecretScope = name! backend_type:ScopeBackendType
    keyvault_metadata:AzureKeyVaultSecretScopeMetadata lifecycle:Lifecycle
    permissions:[SecretScopePermission]
AzureKeyVaultSecretScopeMetadata = dns_name! resource_id!
SecretScopePermission = level!:SecretScopePermissionLevel group_name service_principal_name
    user_name
"""

ENUMS = """
ExperimentPermissionLevel = CAN_MANAGE CAN_EDIT CAN_READ
Privilege = SELECT READ_PRIVATE_FILES WRITE_PRIVATE_FILES CREATE USAGE USE_CATALOG USE_SCHEMA
    CREATE_SCHEMA CREATE_VIEW CREATE_EXTERNAL_TABLE CREATE_MATERIALIZED_VIEW CREATE_FUNCTION
    CREATE_MODEL CREATE_CATALOG CREATE_MANAGED_STORAGE CREATE_EXTERNAL_LOCATION
    CREATE_STORAGE_CREDENTIAL CREATE_SERVICE_CREDENTIAL ACCESS CREATE_SHARE CREATE_RECIPIENT
    CREATE_PROVIDER USE_SHARE USE_RECIPIENT USE_PROVIDER USE_MARKETPLACE_ASSETS
    SET_SHARE_PERMISSION MODIFY REFRESH EXECUTE READ_FILES WRITE_FILES CREATE_TABLE
    ALL_PRIVILEGES CREATE_CONNECTION USE_CONNECTION APPLY_TAG CREATE_FOREIGN_CATALOG
    CREATE_FOREIGN_SECURABLE MANAGE_ALLOWLIST CREATE_VOLUME CREATE_EXTERNAL_VOLUME READ_VOLUME
    WRITE_VOLUME MANAGE BROWSE CREATE_CLEAN_ROOM MODIFY_CLEAN_ROOM EXECUTE_CLEAN_ROOM_TASK
    EXTERNAL_USE_SCHEMA READ_METADATA EXTERNAL_USE_LOCATION
VolumeType = MANAGED EXTERNAL
AiGatewayGuardrailPiiBehaviorBehavior = NONE BLOCK MASK
AiGatewayRateLimitRenewalPeriod = minute
AiGatewayRateLimitKey = user endpoint user_group service_principal
ExternalModelProvider = ai21labs anthropic amazon-bedrock cohere databricks-model-serving
    google-cloud-vertex-ai openai palm custom
AmazonBedrockConfigBedrockProvider = anthropic cohere ai21labs amazon
ServingModelWorkloadType = CPU GPU_MEDIUM GPU_SMALL GPU_LARGE MULTIGPU_MEDIUM CPU_LARGE
    GPU_XLARGE_8 GPU_XLARGE CPU_MEDIUM
ServedModelInputWorkloadType = CPU GPU_MEDIUM GPU_SMALL GPU_LARGE MULTIGPU_MEDIUM CPU_LARGE
    GPU_XLARGE_8 GPU_XLARGE CPU_MEDIUM
ServingEndpointPermissionLevel = CAN_MANAGE CAN_QUERY CAN_VIEW
RateLimitRenewalPeriod = minute
RateLimitKey = user endpoint
TelemetryFeature = TELEMETRY_FEATURE_LOGS TELEMETRY_FEATURE_TRACES TELEMETRY_FEATURE_METRICS
    TELEMETRY_FEATURE_INFERENCE_TABLE
MonitorMetricType = CUSTOM_METRIC_TYPE_AGGREGATE CUSTOM_METRIC_TYPE_DERIVED
    CUSTOM_METRIC_TYPE_DRIFT
MonitorInferenceLogProblemType = PROBLEM_TYPE_CLASSIFICATION PROBLEM_TYPE_REGRESSION
MonitorCronSchedulePauseStatus = UNSPECIFIED UNPAUSED PAUSED
ComparisonOperator = LESS_THAN GREATER_THAN EQUAL NOT_EQUAL GREATER_THAN_OR_EQUAL
    LESS_THAN_OR_EQUAL IS_NULL IS_NOT_NULL
Aggregation = SUM COUNT COUNT_DISTINCT AVG MEDIAN MIN MAX STDDEV
AlertEvaluationState = UNKNOWN TRIGGERED OK ERROR
SchedulePauseStatus = UNPAUSED PAUSED
CustomTemplateFormat = HTML MARKDOWN
PermissionLevel = CAN_MANAGE CAN_RESTART CAN_ATTACH_TO IS_OWNER CAN_MANAGE_RUN CAN_VIEW CAN_READ
    CAN_RUN CAN_EDIT CAN_USE CAN_MANAGE_STAGING_VERSIONS CAN_MANAGE_PRODUCTION_VERSIONS
    CAN_EDIT_METADATA CAN_VIEW_METADATA CAN_BIND CAN_QUERY CAN_MONITOR CAN_CREATE
    CAN_MONITOR_ONLY CAN_CREATE_APP
LifecycleState = ACTIVE TRASHED
ScopeBackendType = DATABRICKS AZURE_KEYVAULT
SecretScopePermissionLevel = READ WRITE MANAGE
"""
