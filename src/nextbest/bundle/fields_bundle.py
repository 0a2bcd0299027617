"""Fields of databricks.yml itself, outside of its resources (see fields.py)."""

from __future__ import annotations

TYPES = """
Root = variables:{Variable} bundle:BundleSection include:[str] workspace:Workspace
    artifacts:{Artifact} resources:Resources targets:{Target} environments:{any} sync:Sync
    run_as:JobRunAs presets:Presets experimental:Experimental permissions:[Permission]
    scripts:{Script} python:Python
BundleSection = name! target environment force:bool git:Git mode:Mode compute_id cluster_id engine
    deployment:Deployment databricks_cli_version uuid
Git = branch origin_url commit bundle_root_path actual_branch inferred:bool
Deployment = fail_on_active_runs:bool lock:Lock
Lock = enabled:bool force:bool
Variable = type:VariableType default:any description lookup:Lookup value:any
Lookup = alert cluster_policy cluster dashboard instance_pool job metastore
    notification_destination pipeline query service_principal warehouse
Workspace = host profile auth_type client_id google_service_account azure_workspace_resource_id
    azure_use_msi:bool azure_client_id azure_tenant_id azure_environment azure_login_app_id
    experimental_is_unified_host:bool account_id workspace_id current_user:CurrentUser root_path
    file_path resource_path artifact_path state_path
CurrentUser = userName short_name domain_friendly_name id displayName active:bool externalId
Artifact = type:ArtifactType path files:[ArtifactFile] build executable:Executable
    dynamic_version:bool
ArtifactFile = source! patched remote_path
Target = default:bool mode:Mode presets:Presets compute_id cluster_id bundle:TargetBundle
    workspace:Workspace artifacts:{Artifact} resources:Resources variables:{Variable} git:Git
    run_as:JobRunAs sync:Sync permissions:[Permission]
TargetBundle = name target environment force:bool git:Git mode:Mode compute_id cluster_id engine
    deployment:Deployment databricks_cli_version uuid
Sync = paths:[str] include:[str] exclude:[str]
Presets = name_prefix pipelines_development:bool trigger_pause_status:PauseStatus
    jobs_max_concurrent_runs:int source_linked_deployment:bool artifacts_dynamic_version:bool
    tags:{str}
Experimental = scripts:{str} immutable_folder:bool python_wheel_wrapper:bool
    use_legacy_run_as:bool pydabs:any python:Python skip_artifact_cleanup:bool
    skip_name_prefix_for_schema:bool record_deployment_history:bool
Permission = level! user_name service_principal_name group_name
Script = content! env:{str}
Python = resources:[str] mutators:[str] venv_path
Resources = jobs:{Job} experiments:{MlflowExperiment} registered_models:{RegisteredModel}
    schemas:{Schema} volumes:{Volume} model_serving_endpoints:{ModelServingEndpoint}
    quality_monitors:{QualityMonitor} alerts:{Alert} job_runs:{any} pipelines:{any} models:{any}
    catalogs:{any} external_locations:{any} clusters:{any} dashboards:{Dashboard} genie_spaces:{any}
    apps:{any} secret_scopes:{SecretScope} sql_warehouses:{any} database_instances:{any}
    database_catalogs:{any} synced_database_tables:{any} postgres_projects:{any}
    postgres_branches:{any} postgres_endpoints:{any} postgres_catalogs:{any}
    postgres_databases:{any} postgres_roles:{any} postgres_synced_tables:{any}
    vector_search_endpoints:{any} vector_search_indexes:{any} instance_pools:{any} secrets:{any}
"""

ENUMS = """
VariableType = complex
ArtifactType = whl jar
Executable = bash sh cmd
Mode = development production
"""
