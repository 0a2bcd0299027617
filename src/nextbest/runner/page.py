"""Pages of a run, each one file: executed notebooks and the run's overview."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nextbest.runner.page_style import code, document, framed, markdown
from nextbest.runner.record import RunRecord, TaskError, TaskRecord, seconds


def notebook(
    task: TaskRecord,
    name: str,
    state: str,
    error: TaskError | None,
    result: str | None,
    cells: Sequence[Mapping[str, Any]],
    shown: Mapping[int, Mapping[str, Any]],
    log: str,
    problem: str,
) -> str:
    """The executed notebook: its cells, what each one showed, parameters, values and log.

    `cells` are notebook_source.Cell as mappings; `shown` maps their numbers to `cell` events;
    `problem` says what the log lacks.
    """
    parts = [
        f"<h1>{html.escape(name)}</h1>",
        f'<p class="soft">task <b>{html.escape(task.key)}</b> · {_state(state)} · '
        f'{_took(seconds(task.start, None))} · <a href="../index.html">run</a></p>',
        _error(error),
    ]
    if result is not None:
        parts.append(f"<p>result: <code>{html.escape(result)}</code></p>")
    parts += [_cell(cell, shown.get(number)) for number, cell in enumerate(cells)]
    parts.append(_pairs("parameters", task.parameters) + _pairs("task values", task.values))
    parts.append(f"<details><summary>log</summary><pre>{html.escape(log)}</pre></details>")
    if problem:
        parts.append(f'<p class="error">{html.escape(problem)}</p>')
    return document(f"{task.key} · {state}", "\n".join(parts))


def _cell(cell: Mapping[str, Any], event: Mapping[str, Any] | None) -> str:
    if cell["language"] == "md":
        return f'<div class="md">{markdown(cell["source"])}</div>'
    title = f'<div class="title">{html.escape(cell["title"])}</div>' if cell["title"] else ""
    magic = "" if cell["language"] == "python" else f"%{cell['language']} "
    took = "not run" if event is None else _took(event["seconds"])
    outputs = "" if event is None else "".join(map(_output, event["outputs"]))
    return (
        f'<div class="cell">{title}<div class="code"><span class="took">{took}</span>'
        f"<pre>{magic}{code(cell['source'], cell['language'])}</pre></div>{outputs}</div>"
    )


def _output(output: Mapping[str, str]) -> str:
    data = output["data"]
    shown = {
        "html": lambda: data,
        "frame": lambda: framed(data),
        "png": lambda: f'<img alt="plot" src="data:image/png;base64,{data}">',
        "text": lambda: f"<pre>{html.escape(_as_on_a_screen(data))}</pre>",
        "error": lambda: f'<pre class="trace">{html.escape(data)}</pre>',
    }[output["kind"]]()
    return f'<div class="out">{shown}</div>'


def _as_on_a_screen(text: str) -> str:
    """Without colours, and of a line that was written over (a progress bar) the last state."""
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def index(record: RunRecord, told: Mapping[str, str]) -> str:
    """The overview of a run: its tasks in order, with their pages, logs and errors.

    `told` has what child runs had to say, by run.
    """
    rows = "".join(_rows(task, 0, told) for task in record.tasks)
    head = "<tr><th>task</th><th>state</th><th>took</th><th></th><th></th></tr>"
    body = (
        f"<h1>{html.escape(record.job_name)}</h1>"
        f'<p class="soft">run {record.run_id} · target {html.escape(record.target)} · '
        f"{_state(record.state)} · {_took(seconds(record.start, record.end))}</p>"
        + _error(TaskError("", record.error) if record.error else None)
        + f"<table>{head}{rows}</table>"
        + _pairs("parameters", record.parameters)
    )
    if record.parent is not None:
        body += f'<p><a href="../{record.parent}/index.html">the run that started this one</a></p>'
    return document(f"{record.job_key} · {record.state}", body)


def _rows(task: TaskRecord, depth: int, told: Mapping[str, str]) -> str:
    links = [f'<a href="{a.page}">page {a.number}</a>' for a in task.attempts if a.page]
    links += [f'<a href="{a.log}">log {a.number}</a>' for a in task.attempts if a.log]
    if task.child_run_id is not None:
        links.append(f'<a href="../{task.child_run_id}/index.html">run</a>')
    own = task.error or task.values.get("summary") or task.outcome
    said = html.escape(str(own or told.get(task.child_run_id or "", "")))
    row = (
        f'<tr><td style="padding-left:{0.6 + 1.4 * depth}rem">{html.escape(task.key)}</td>'
        f"<td>{_state(task.state)}</td><td>{_took(seconds(task.start, task.end))}</td>"
        f"<td>{' '.join(links)}</td><td><pre>{said}</pre></td></tr>"
    )
    return row + "".join(_rows(each, depth + 1, told) for each in task.iterations)


def _pairs(title: str, pairs: Mapping[str, Any]) -> str:
    if not pairs:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(key)}</td><td><pre>{html.escape(_text(value))}</pre></td></tr>"
        for key, value in pairs.items()
    )
    return f"<details><summary>{title}</summary><table>{rows}</table></details>"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=1)


def _error(error: TaskError | None) -> str:
    return "" if error is None else f'<div class="error"><pre>{html.escape(str(error))}</pre></div>'


def _state(state: str) -> str:
    return f'<span class="state {state}">{state}</span>'


def _took(span: float) -> str:
    return f"{span:.1f} s" if span < 60 else f"{int(span // 60)} min {span % 60:.0f} s"
