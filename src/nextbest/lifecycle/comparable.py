"""Whether two versions can be compared at all: what they read and what they tell."""

from __future__ import annotations

from collections.abc import Iterator

from nextbest.errors import DataError, UsageError
from nextbest.registry.asking import asking
from nextbest.registry.named import Named


def check_comparable(first: Named, second: Named) -> None:
    """Raise UsageError where inputs or outputs of two versions differ, column by column.

    By the signatures that the registry keeps with them. Raises DataError when a version has lost
    its files, PlatformError when the registry refuses.
    """
    mine, other = _columns(first), _columns(second)
    problems = [
        problem
        for part in ("inputs", "outputs")
        for problem in _differences(part[:-1], mine[part], other[part])
    ]
    if problems:
        what = "tasks" if mine["outputs"].keys() != other["outputs"].keys() else "input schemas"
        raise UsageError(
            f"{first.text} and {second.text} are of different {what}: {'; '.join(problems)}. "
            "Compare versions that read and tell the same"
        )


def _differences(part: str, mine: dict[str, str], other: dict[str, str]) -> Iterator[str]:
    for name in [*mine, *(name for name in other if name not in mine)]:
        if name not in other:
            yield f"{part} {name} ({mine[name]}) is only in the first"
        elif name not in mine:
            yield f"{part} {name} ({other[name]}) is only in the second"
        elif mine[name] != other[name]:
            yield f"{part} {name} is {mine[name]} in the first and {other[name]} in the second"


def _columns(each: Named) -> dict[str, dict[str, str]]:
    """Types of the inputs and outputs by name."""
    import mlflow
    import yaml
    from mlflow.exceptions import MlflowException

    uri = f"models:/{each.model}/{each.version}"
    gone = f"{each.text} has lost its files: restore them, or train it anew by training_job"
    with asking(f"{each.model} version {each.version}", f"EXECUTE on {each.model}"):
        try:
            info = mlflow.models.get_model_info(uri)
        except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
            raise DataError(f"{gone} ({type(error).__name__}: {error})") from error
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
                raise DataError(f"{gone} ({error.message})") from error
            raise
    if info.signature is None:
        raise DataError(f"{each.text} has no signature: register it by training_job")
    found = {}
    for part in ("inputs", "outputs"):
        schema = getattr(info.signature, part)
        columns = [] if schema is None else schema.to_dict()
        found[part] = {
            column.get("name", str(at)): column["type"]
            + ("" if column.get("required", True) else ", optional")
            for at, column in enumerate(columns)
        }
    return found
