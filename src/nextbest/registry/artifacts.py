"""Whether a version's files are what was registered."""

from __future__ import annotations

import pickle
import zipfile

from nextbest.errors import PlatformError
from nextbest.registry.asking import asking


def load_whole(model: str, version: str) -> None:
    """Load a version as its endpoint would; PlatformError when files are lost or damaged."""
    import mlflow
    import yaml

    # What reading damaged pickles, YAML and folders raises.
    damaged = (
        pickle.UnpicklingError, zipfile.BadZipFile, yaml.YAMLError, OSError, EOFError, ValueError,
        TypeError, KeyError, IndexError, AttributeError, ImportError,
    )  # fmt: skip
    try:
        with asking(f"{model} version {version}", f"EXECUTE on {model}"):
            mlflow.pyfunc.load_model(f"models:/{model}/{version}")
    except damaged as error:
        first = (str(error).strip().splitlines() or [""])[0]
        raise PlatformError(
            f"{model} version {version}: its files can't be loaded ({type(error).__name__}: "
            f"{first}); restore them, or train it anew. No alias was moved"
        ) from error
