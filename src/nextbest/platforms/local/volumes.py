"""Unity Catalog volumes as folders of the lakehouse."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from nextbest.errors import PlatformError

_PREFIXES = ("dbfs:/Volumes/", "/Volumes/")


def local_path(lakehouse: Path, path: str) -> Path:
    """The file or folder that stands for `/Volumes/catalog/schema/volume/...`; others as they are.

    Raises PlatformError for a path that is too short or climbs out of its volume.
    """
    prefix = next((p for p in _PREFIXES if path.startswith(p)), None)
    if prefix is None:
        return Path(path)
    parts = PurePosixPath(path.removeprefix(prefix)).parts
    if len(parts) < 3:
        raise PlatformError(f"{path}: a volume path is /Volumes/CATALOG/SCHEMA/VOLUME/...")
    if ".." in parts:
        raise PlatformError(f"{path}: a volume path may not climb with '..'")
    return lakehouse.joinpath("volumes", *parts)
