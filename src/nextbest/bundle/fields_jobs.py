"""Fields of a job and everything below it, as databricks-bundles has them (see fields.py)."""

from __future__ import annotations

TYPES = """
Job = budget_policy_id continuous:Continuous description duration_target
    email_notifications:JobEmailNotifications environment_variables:[JobEnvironmentVariables]
    environments:[JobEnvironment] git_source:GitSource health:JobsHealthRules
    job_clusters:[JobCluster] lifecycle:Lifecycle max_concurrent_runs:int name
    notification_settings:JobNotificationSettings parameters:[JobParameterDefinition] parent_path
    performance_target:PerformanceTarget permissions:[JobPermission] queue:QueueSettings
    run_as:JobRunAs schedule:CronSchedule tags:{str} tasks:[Task] timeout_seconds:int
    trigger:TriggerSettings triggers:[TriggerConfiguration] usage_policy_id
    webhook_notifications:WebhookNotifications
Continuous = maintenance_window:MaintenanceWindow pause_status:PauseStatus
    task_retry_mode:TaskRetryMode
MaintenanceWindow = day_of_week!:DayOfWeek start_hour!:int timezone_id!
JobEmailNotifications = no_alert_for_skipped_runs:bool
    on_duration_warning_threshold_exceeded:[str] on_failure:[str] on_maintenance_complete:[str]
    on_maintenance_start:[str] on_start:[str] on_streaming_backlog_exceeded:[str]
    on_success:[str]
JobEnvironmentVariables = environment_variables_key! spec:JobEnvironmentVariablesSpec
JobEnvironmentVariablesSpec = files:[str] variables:{str}
JobEnvironment = environment_key! spec:Environment
Environment = base_environment client dependencies:[str] environment_version
    java_dependencies:[str] project_environment
GitSource = git_provider!:GitProvider git_url! git_branch git_commit git_tag
    sparse_checkout:SparseCheckout
SparseCheckout = patterns:[str]
JobsHealthRules = rules:[JobsHealthRule]
JobsHealthRule = metric!:JobsHealthMetric op!:JobsHealthOperator value!:int
JobCluster = job_cluster_key! new_cluster:ClusterSpec serverless_compute_id
ClusterSpec = apply_policy_default_values:bool autoscale:AutoScale autotermination_minutes:int
    aws_attributes:AwsAttributes azure_attributes:AzureAttributes cluster_log_conf:ClusterLogConf
    cluster_name custom_tags:{str} data_security_mode:DataSecurityMode
    dependency_mode:DependencyMode docker_image:DockerImage driver_instance_pool_id
    driver_node_type_flexibility:NodeTypeFlexibility driver_node_type_id enable_elastic_disk:bool
    enable_local_disk_encryption:bool gcp_attributes:GcpAttributes init_scripts:[InitScriptInfo]
    instance_pool_id is_single_node:bool kind:Kind node_type_id num_workers:int policy_id
    remote_disk_throughput:int runtime_engine:RuntimeEngine single_user_name spark_conf:{str}
    spark_env_vars:{str} spark_version ssh_public_keys:[str] total_initial_remote_disk_size:int
    use_ml_runtime:bool worker_node_type_flexibility:NodeTypeFlexibility
    workload_type:WorkloadType
AutoScale = max_workers:int min_workers:int
AwsAttributes = availability:AwsAvailability ebs_volume_count:int ebs_volume_iops:int
    ebs_volume_size:int ebs_volume_throughput:int ebs_volume_type:EbsVolumeType
    first_on_demand:int instance_profile_arn spot_bid_price_percent:int zone_id
AzureAttributes = availability:AzureAvailability capacity_reservation_group first_on_demand:int
    log_analytics_info:LogAnalyticsInfo spot_bid_max_price:float
LogAnalyticsInfo = log_analytics_primary_key log_analytics_workspace_id
ClusterLogConf = dbfs:DbfsStorageInfo s3:S3StorageInfo volumes:VolumesStorageInfo
DbfsStorageInfo = destination!
S3StorageInfo = destination! canned_acl enable_encryption:bool encryption_type endpoint kms_key
    region
VolumesStorageInfo = destination!
DockerImage = basic_auth:DockerBasicAuth url
DockerBasicAuth = password username
NodeTypeFlexibility = alternate_node_type_ids:[str] aws_context_id
GcpAttributes = availability:GcpAvailability boot_disk_size:int
    confidential_compute_type:ConfidentialComputeType first_on_demand:int google_service_account
    local_ssd_count:int use_preemptible_executors:bool zone_id
InitScriptInfo = abfss:Adlsgen2Info dbfs:DbfsStorageInfo file:LocalFileInfo gcs:GcsStorageInfo
    s3:S3StorageInfo volumes:VolumesStorageInfo workspace:WorkspaceStorageInfo
Adlsgen2Info = destination!
LocalFileInfo = destination!
GcsStorageInfo = destination!
WorkspaceStorageInfo = destination!
WorkloadType = clients!:ClientsTypes
ClientsTypes = jobs:bool notebooks:bool
Lifecycle = prevent_destroy:bool
JobNotificationSettings = no_alert_for_canceled_runs:bool no_alert_for_skipped_runs:bool
JobParameterDefinition = default! name!
JobPermission = level!:JobPermissionLevel group_name service_principal_name user_name
QueueSettings = enabled!:bool
JobRunAs = group_name service_principal_name user_name
CronSchedule = quartz_cron_expression! timezone_id! pause_status:PauseStatus
    sql_condition:SqlConditionConfiguration
SqlConditionConfiguration = sql_query_id! warehouse_id! trigger_mode:SqlConditionTriggerMode
Task = task_key! ai_runtime_task:AiRuntimeTask alert_task:AlertTask
    clean_rooms_notebook_task:CleanRoomsNotebookTask compute:Compute condition_task:ConditionTask
    dashboard_task:DashboardTask dbt_platform_task:DbtPlatformTask dbt_task:DbtTask
    depends_on:[TaskDependency] description disable_auto_optimization:bool disabled:bool
    email_notifications:TaskEmailNotifications environment_key environment_variables_key
    existing_cluster_id for_each_task:ForEachTask gen_ai_compute_task:GenAiComputeTask
    health:JobsHealthRules job_cluster_key libraries:[Library] max_retries:int
    min_retry_interval_millis:int new_cluster:ClusterSpec notebook_task:NotebookTask
    notification_settings:TaskNotificationSettings pipeline_task:PipelineTask
    power_bi_task:PowerBiTask python_operator_task:PythonOperatorTask
    python_wheel_task:PythonWheelTask retry_on_timeout:bool run_if:RunIf run_job_task:RunJobTask
    spark_jar_task:SparkJarTask spark_python_task:SparkPythonTask
    spark_submit_task:SparkSubmitTask sql_task:SqlTask timeout_seconds:int
    webhook_notifications:WebhookNotifications
AiRuntimeTask = experiment! code_source_path deployments:[DeploymentSpec] docker_image_url
    mlflow_artifact_location mlflow_experiment_directory mlflow_run
    priority_class:AiRuntimeTaskPriorityClass unity_catalog_image_path
DeploymentSpec = compute!:ComputeSpec command_path name
ComputeSpec = accelerator_count!:int accelerator_type!:ComputeSpecAcceleratorType
    provisioned_capacity_id
AlertTask = alert_id parameters:{str} subscribers:[AlertTaskSubscriber] warehouse_id
    workspace_path
AlertTaskSubscriber = destination_id user_name
CleanRoomsNotebookTask = clean_room_name! notebook_name! etag notebook_base_parameters:{str}
Compute = hardware_accelerator:HardwareAcceleratorType
ConditionTask = left! op!:ConditionTaskOp right!
DashboardTask = dashboard_id filters:{str} subscription:Subscription warehouse_id
Subscription = attachment:SubscriptionAttachment custom_subject paused:bool
    subscribers:[SubscriptionSubscriber]
SubscriptionAttachment = data_attachment:SubscriptionAttachmentDataAttachment
    page_attachment:SubscriptionAttachmentPageAttachment
SubscriptionAttachmentDataAttachment =
    file_format!:SubscriptionAttachmentDataAttachmentFileFormat include_applied_filters:bool
    widgets:[SubscriptionAttachmentDataAttachmentWidget]
SubscriptionAttachmentDataAttachmentWidget = page_id! widget_id!
SubscriptionAttachmentPageAttachment = page_ids:[str]
    page_selection:SubscriptionAttachmentPageAttachmentPageSelection
SubscriptionSubscriber = destination_id user_name
DbtPlatformTask = connection_resource_name dbt_platform_job_id
DbtTask = catalog commands:[str] profiles_directory project_directory schema source:Source
    warehouse_id
TaskDependency = task_key! outcome
TaskEmailNotifications = no_alert_for_skipped_runs:bool
    on_duration_warning_threshold_exceeded:[str] on_failure:[str] on_maintenance_complete:[str]
    on_maintenance_start:[str] on_start:[str] on_streaming_backlog_exceeded:[str]
    on_success:[str]
ForEachTask = inputs! task!:Task concurrency:int
GenAiComputeTask = dl_runtime_image! command compute:ComputeConfig mlflow_experiment_name
    source:Source training_script_path yaml_parameters yaml_parameters_file_path
ComputeConfig = num_gpus!:int gpu_node_pool_id gpu_type
Library = cran:RCranLibrary egg jar maven:MavenLibrary pypi:PythonPyPiLibrary requirements whl
RCranLibrary = package! repo
MavenLibrary = coordinates! exclusions:[str] repo
PythonPyPiLibrary = package! repo
NotebookTask = notebook_path! base_parameters:{str} source:Source warehouse_id
TaskNotificationSettings = alert_on_last_attempt:bool no_alert_for_canceled_runs:bool
    no_alert_for_skipped_runs:bool
PipelineTask = pipeline_id! full_refresh:bool full_refresh_selection:[str] parameters:{str}
    refresh_flow_selection:[str] refresh_selection:[str] reset_checkpoint_selection:[str]
PowerBiTask = connection_resource_name power_bi_model:PowerBiModel refresh_after_update:bool
    tables:[PowerBiTable] warehouse_id
PowerBiModel = authentication_method:AuthenticationMethod model_name overwrite_existing:bool
    storage_mode:StorageMode workspace_name
PowerBiTable = catalog name schema storage_mode:StorageMode
PythonOperatorTask = main parameters:[PythonOperatorTaskParameter]
PythonOperatorTaskParameter = name value
PythonWheelTask = entry_point! package_name! named_parameters:{str} parameters:[str]
RunJobTask = job_id!:int job_parameters:{str} pipeline_params:PipelineParams
PipelineParams = full_refresh:bool full_refresh_selection:[str] refresh_flow_selection:[str]
    refresh_selection:[str] reset_checkpoint_selection:[str]
SparkJarTask = main_class_name! jar_uri parameters:[str] run_as_repl:bool
SparkPythonTask = python_file! parameters:[str] source:Source
SparkSubmitTask = parameters:[str]
SqlTask = warehouse_id! alert:SqlTaskAlert dashboard:SqlTaskDashboard file:SqlTaskFile
    parameters:{str} query:SqlTaskQuery
SqlTaskAlert = alert_id! pause_subscriptions:bool subscriptions:[SqlTaskSubscription]
SqlTaskSubscription = destination_id user_name
SqlTaskDashboard = dashboard_id! custom_subject pause_subscriptions:bool
    subscriptions:[SqlTaskSubscription]
SqlTaskFile = path! source:Source
SqlTaskQuery = query_id!
WebhookNotifications = on_duration_warning_threshold_exceeded:[Webhook] on_failure:[Webhook]
    on_maintenance_complete:[Webhook] on_maintenance_start:[Webhook] on_start:[Webhook]
    on_streaming_backlog_exceeded:[Webhook] on_success:[Webhook]
Webhook = id!
TriggerSettings = file_arrival:FileArrivalTriggerConfiguration model:ModelTriggerConfiguration
    pause_status:PauseStatus periodic:PeriodicTriggerConfiguration
    sql_condition:SqlConditionConfiguration table_update:TableUpdateTriggerConfiguration
FileArrivalTriggerConfiguration = url! min_time_between_triggers_seconds:int
    wait_after_last_change_seconds:int
ModelTriggerConfiguration = condition!:ModelTriggerConfigurationCondition aliases:[str]
    min_time_between_triggers_seconds:int securable_name wait_after_last_change_seconds:int
PeriodicTriggerConfiguration = interval!:int unit!:PeriodicTriggerConfigurationTimeUnit
TableUpdateTriggerConfiguration = condition:Condition min_time_between_triggers_seconds:int
    table_names:[str] wait_after_last_change_seconds:int
TriggerConfiguration = continuous:ContinuousTriggerConfiguration
    file_arrival:FileArrivalTriggerConfiguration model:ModelTriggerConfiguration
    pause_status:PauseStatus periodic:PeriodicTriggerConfiguration
    schedule:CronTriggerConfiguration sql_condition:SqlConditionConfiguration
    table_update:TableUpdateTriggerConfiguration
ContinuousTriggerConfiguration = maintenance_window:MaintenanceWindow
    task_retry_mode:TaskRetryMode
CronTriggerConfiguration = quartz_cron_expression! timezone_id!
"""

ENUMS = """
DayOfWeek = MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY
PauseStatus = UNPAUSED PAUSED
TaskRetryMode = NEVER ON_FAILURE
GitProvider = gitHub bitbucketCloud azureDevOpsServices gitHubEnterprise bitbucketServer gitLab
    gitLabEnterpriseEdition awsCodeCommit
JobsHealthMetric = RUN_DURATION_SECONDS STREAMING_BACKLOG_BYTES STREAMING_BACKLOG_RECORDS
    STREAMING_BACKLOG_SECONDS STREAMING_BACKLOG_FILES
JobsHealthOperator = GREATER_THAN
AwsAvailability = SPOT ON_DEMAND SPOT_WITH_FALLBACK
EbsVolumeType = GENERAL_PURPOSE_SSD THROUGHPUT_OPTIMIZED_HDD
AzureAvailability = SPOT_AZURE ON_DEMAND_AZURE SPOT_WITH_FALLBACK_AZURE
DataSecurityMode = NONE SINGLE_USER USER_ISOLATION LEGACY_TABLE_ACL LEGACY_PASSTHROUGH
    LEGACY_SINGLE_USER LEGACY_SINGLE_USER_STANDARD DATA_SECURITY_MODE_STANDARD
    DATA_SECURITY_MODE_DEDICATED DATA_SECURITY_MODE_AUTO
DependencyMode = DEPENDENCY_MODE_ENVIRONMENTS DEPENDENCY_MODE_CLUSTER_LIBRARIES
    DEPENDENCY_MODE_AUTO
GcpAvailability = PREEMPTIBLE_GCP ON_DEMAND_GCP PREEMPTIBLE_WITH_FALLBACK_GCP
ConfidentialComputeType = CONFIDENTIAL_COMPUTE_TYPE_NONE SEV_SNP
Kind = CLASSIC_PREVIEW
RuntimeEngine = NULL STANDARD PHOTON
PerformanceTarget = PERFORMANCE_OPTIMIZED STANDARD
JobPermissionLevel = CAN_MANAGE IS_OWNER CAN_MANAGE_RUN CAN_VIEW
SqlConditionTriggerMode = QUERY_RETURNS_ROWS RESULT_VALUE_CHANGES
ComputeSpecAcceleratorType = GPU_1xA10 GPU_1xH100 GPU_8xH100 GPU_8xB300
AiRuntimeTaskPriorityClass = BEST_EFFORT NORMAL CRITICAL
HardwareAcceleratorType = GPU_1xA10 GPU_8xH100 GPU_1xH100 GPU_8xB300
ConditionTaskOp = EQUAL_TO GREATER_THAN GREATER_THAN_OR_EQUAL LESS_THAN LESS_THAN_OR_EQUAL
    NOT_EQUAL
SubscriptionAttachmentDataAttachmentFileFormat = FILE_FORMAT_CSV FILE_FORMAT_TSV
    FILE_FORMAT_EXCEL
SubscriptionAttachmentPageAttachmentPageSelection = PAGE_SELECTION_ALL PAGE_SELECTION_SUBSET
Source = WORKSPACE GIT
AuthenticationMethod = OAUTH PAT
StorageMode = DIRECT_QUERY IMPORT DUAL
RunIf = ALL_SUCCESS ALL_DONE NONE_FAILED AT_LEAST_ONE_SUCCESS ALL_FAILED AT_LEAST_ONE_FAILED
ModelTriggerConfigurationCondition = MODEL_CREATED MODEL_VERSION_READY MODEL_ALIAS_SET
PeriodicTriggerConfigurationTimeUnit = HOURS DAYS WEEKS MINUTES
Condition = ANY_UPDATED ALL_UPDATED
"""
