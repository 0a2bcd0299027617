"""`dbutils.fs` over the local disk; `/Volumes/...` lies in the lakehouse."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

from nextbest.platforms.local.volumes import local_path

FileInfo = namedtuple("FileInfo", ["path", "name", "size", "modificationTime"])


class Files:
    """The file utilities a notebook may call."""

    def __init__(self, lakehouse: Path) -> None:
        self._lakehouse = lakehouse

    def _local(self, path: str) -> Path:
        return local_path(self._lakehouse, path.removeprefix("file:"))

    def ls(self, path: str) -> list[FileInfo]:
        """Entries of a folder by name; a folder's name ends in a slash, its size is 0."""
        folder = self._local(path)
        entries = sorted(folder.iterdir()) if folder.is_dir() else [folder]
        return [self._info(path, folder, entry) for entry in entries]

    @staticmethod
    def _info(asked: str, folder: Path, entry: Path) -> FileInfo:
        stat = entry.stat()
        slash = "/" if entry.is_dir() else ""
        shown = asked if entry == folder else f"{asked.rstrip('/')}/{entry.name}{slash}"
        size = 0 if slash else stat.st_size
        return FileInfo(shown, entry.name + slash, size, int(stat.st_mtime * 1000))

    def cp(self, from_: str, to: str, recurse: bool = False) -> bool:
        """Copy a file, or a folder with `recurse`."""
        source, target = self._local(from_), self._local(to)
        if source.is_dir():
            if not recurse:
                raise IsADirectoryError(f"{from_} is a folder: pass recurse=True to copy it")
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            into = target / source.name if target.is_dir() else target
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, into)
        return True

    def mv(self, from_: str, to: str, recurse: bool = False) -> bool:
        """Move a file, or a folder with `recurse`."""
        self.cp(from_, to, recurse)
        return self.rm(from_, recurse)

    def rm(self, path: str, recurse: bool = False) -> bool:
        """Delete a file, or a folder with `recurse`; False when there is none."""
        target = self._local(path)
        if not target.exists():
            return False
        if not target.is_dir():
            target.unlink()
        elif recurse:
            shutil.rmtree(target)
        else:
            raise IsADirectoryError(f"{path} is a folder: pass recurse=True to delete it")
        return True

    def mkdirs(self, path: str) -> bool:
        """Make a folder and those above it."""
        self._local(path).mkdir(parents=True, exist_ok=True)
        return True

    def put(self, path: str, contents: str, overwrite: bool = False) -> bool:
        """Write a text file; raises FileExistsError unless `overwrite`."""
        target = self._local(path)
        if target.exists() and not overwrite:
            raise FileExistsError(f"{path} exists: pass overwrite=True to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(contents, encoding="utf-8")
        return True

    def head(self, path: str, maxBytes: int = 65536) -> str:
        """The first bytes of a file as text."""
        with self._local(path).open("rb") as file:
            return file.read(maxBytes).decode("utf-8", "replace")
