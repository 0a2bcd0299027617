"""A version in another registered model, with where it comes from."""

from __future__ import annotations

from nextbest.registry.asking import asking, client

SOURCE, SOURCE_VERSION = "source_model", "source_version"
_OF_ITS_OWN = ("verdict", "approval", "forced")  # what was said of it elsewhere does not count here


def copy_version(source: str, version: str, model: str) -> str:
    """The version of `model` that is a copy of the source's; made unless it is there already.

    It keeps the run that trained it and the tags of its training, names its source in the tags
    `source_model` and `source_version`, and becomes the candidate. MLflow's copy_model_version
    would take over the verdict, too, which is of other rows and another champion: so this asks
    for what that does, with the tags chosen.
    """
    from mlflow.exceptions import MlflowException

    right = f"EXECUTE on {source} and CREATE MODEL VERSION on {model}"
    with asking(f"copy of {source} version {version} as a version of {model}", right):
        try:
            client().create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    found = copy_of(source, version, model)
    with asking(f"copy of {source} version {version} as a version of {model}", right):
        if found is None:
            original = client().get_model_version(source, version)
            tags = {k: v for k, v in original.tags.items() if not k.startswith(_OF_ITS_OWN)}
            found = client().create_model_version(
                model, f"models:/{source}/{version}", run_id=original.run_id or None,
                tags={**tags, SOURCE: source, SOURCE_VERSION: version},
                description=original.description or None, model_id=original.model_id or None,
            ).version  # fmt: skip
        client().set_registered_model_alias(model, "candidate", found)
    return str(found)


def copy_of(source: str, version: str, model: str) -> str | None:
    """The newest whole version of `model` that is a copy of this one."""
    with asking(f"versions of {model}", f"EXECUTE on {model}"):
        listed = client().search_model_versions(f"name='{model}'")
        whole = [client().get_model_version(model, each.version) for each in listed]
    found = [
        int(each.version)
        for each in whole
        if each.status == "READY"
        and (each.tags.get(SOURCE), each.tags.get(SOURCE_VERSION)) == (source, version)
    ]
    return str(max(found)) if found else None
