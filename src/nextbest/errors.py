"""The one root of every error that a user can mend: its message says what, where and how."""

from __future__ import annotations


class NextBestError(Exception):
    """Something the user can mend; `dbb` prints the message without a traceback.

    `exit_code` is what `dbb` ends with: 1 a run or a check said no, 2 the input was wrong.
    """

    exit_code = 2


class SettingsError(NextBestError):
    """A setting is missing, unknown or of the wrong kind; all of them are listed together."""


class BundleError(NextBestError):
    """The bundle can't be read; the message lists every diagnostic."""


class DataError(NextBestError):
    """Rows, tables or files are not what the contract says; the message names them."""

    exit_code = 1


class PlatformError(NextBestError):
    """The engine, the registry or the storage refused; the message names the thing."""

    exit_code = 1


class RunError(NextBestError):
    """A run could not be started or did not succeed."""

    exit_code = 1


class UsageError(NextBestError):
    """The command line names something that does not exist."""
