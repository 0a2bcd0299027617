"""The fork server: a process of its own that has imported the heavy libraries and forks tasks.

Not the standard library's, for three reasons: that one imports the caller's `__main__` again into
every child, hands exit codes to whoever polls first, and can't see what a notebook left behind.
This one is the parent of every task, adopts the orphans, and when `dbb` is gone - even by
`kill -9` - it kills all of them.

Protocol: one byte on the control socket with three descriptors: where the task writes its output,
its channel, and where the server writes first the task's process id, then how it ended.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from nextbest.runner import orphans

PRELOAD = (
    "pandas",
    "pyarrow",
    "pyspark.sql.connect.session",
    "pyspark.sql.connect.dataframe",
    "pysail.spark",
    "sklearn.pipeline",
    "lightgbm",
    "mlflow",
    "mlflow.pyfunc",
    "mlflow.sklearn",
    "mlflow.store.tracking.sqlalchemy_store",
    "matplotlib.pyplot",
    "deltalake",
    "nextbest.runner.child",
)


def main() -> None:
    """Preload, then serve until the control socket (descriptor argv[1]) closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    orphans.adopt()
    forgetful = sys.dont_write_bytecode
    sys.dont_write_bytecode = False  # compiling the libraries anew takes longer than importing them
    for name in sys.argv[2:]:
        importlib.import_module(name)
    sys.dont_write_bytecode = forgetful
    gc.collect()
    gc.freeze()  # what is shared with the tasks stays shared
    serve(control)


def serve(control: socket.socket) -> None:
    """Fork a task per request and report how each one ended."""
    tasks: dict[int, int] = {}  # process id → descriptor for its status
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = wait([control, woken])  # not select(), which ends at descriptor 1,023
        if woken in ready:
            os.read(woken, 4096)
            _reap(tasks)
        if control in ready:
            message, passed, _, _ = socket.recv_fds(control, 1, 3)
            if not message:
                break
            output, channel, status = passed
            pid = os.fork()
            if pid == 0:
                _become_task(
                    output, channel, [control.fileno(), woken, wake, status, *tasks.values()]
                )
            tasks[pid] = status
            os.close(output)
            os.close(channel)
            _tell(status, pid)
    for pid in tasks:
        orphans.kill_group(pid)
    orphans.kill_strays([], seconds=10)


def _reap(tasks: dict[int, int]) -> None:
    while True:
        try:
            # Look first, reap last: until then no other process can get the task's group id.
            seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if seen is None:
            return
        if seen.si_pid in tasks:
            orphans.kill_group(seen.si_pid)
            orphans.kill_strays(tasks)
        _, status = os.waitpid(seen.si_pid, 0)
        descriptor = tasks.pop(seen.si_pid, None)
        if descriptor is not None:
            _tell(descriptor, os.waitstatus_to_exitcode(status))
            os.close(descriptor)


def _tell(descriptor: int, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for this task any more
        os.write(descriptor, b"%d\n" % number)


def _become_task(output: int, channel: int, inherited: list[int]) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for descriptor in inherited:
            os.close(descriptor)
        os.setsid()
        orphans.adopt()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(nothing)
        os.close(output)
        from nextbest.runner import child

        code = child.main(Connection(channel))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
