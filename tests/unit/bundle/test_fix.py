"""What a good bundle lost is put back as it was; what a valid one means is never changed."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextbest.bundle import diagnose, load
from nextbest.bundle.fields import fields_of
from nextbest.bundle.fix import fixed
from nextbest.bundle.fix import write as write_files
from nextbest.errors import BundleError

pytestmark = pytest.mark.unit

BUNDLES = Path(__file__).parents[2] / "bundle"
ROOT = Path(__file__).parents[3]
TARGET = "staging"
TYPES = ("Job", "Task", "NotebookTask", "CronSchedule", "RunJobTask", "ConditionTask", "Schema")
# Not tasks: taks may as well have been tags.
FIELDS = {name for each in TYPES for name in fields_of(each) if len(name) > 4} - {"tasks"}
KEY = re.compile(r"^ *(?:- )?(\w+):", re.MULTILINE)


def _copy(folder: Path) -> Path:
    """This repository's bundle, its notebooks and settings as links."""
    folder.mkdir()
    shutil.copy(ROOT / "databricks.yml", folder)
    shutil.copytree(ROOT / "resources", folder / "resources")
    for name in ("notebooks", "src", "dashboards"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The configuration of the undamaged bundle."""
    return load(_copy(tmp_path_factory.mktemp("whole") / "bundle"), TARGET, None, "ana").config


def _texts(root: Path) -> dict[str, str]:
    paths = [root / "databricks.yml", *sorted(root.glob("resources/*.yml"))]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def _misspelled(texts: dict[str, str], draw: random.Random) -> None:
    """A letter of a field is left out, doubled, or swapped with the next."""
    name = draw.choice([name for name in texts if name.startswith("resources")])
    spans = [each.span(1) for each in KEY.finditer(texts[name]) if each[1] in FIELDS]
    start, end = draw.choice(spans)
    at = draw.randrange(start, end - 1)
    text = texts[name]
    one, two = text[at], text[at + 1]
    wrong = draw.choice([one + one + two, two if at > start else two + one, two + one])
    texts[name] = text[:at] + wrong + text[at + 2 :]


def _without_permissions(texts: dict[str, str], draw: random.Random) -> None:
    name = draw.choice([name for name in texts if name.endswith("_job.yml")])
    texts[name] = texts[name].replace("      permissions: ${var.access.jobs}\n", "")


def _without_pause(texts: dict[str, str], _: random.Random) -> None:
    name = "databricks.yml"
    texts[name] = re.sub(r" +trigger_pause_status: PAUSED.*\n", "", texts[name])


def _shuffled(texts: dict[str, str], draw: random.Random) -> None:
    name = draw.choice([f"resources/{each}_job.yml" for each in ("monitoring", "lifecycle")])
    head, tasks = texts[name].split("      tasks:\n")
    blocks = re.split(r"^(?=        - )", tasks, flags=re.MULTILINE)[1:]
    draw.shuffle(blocks)
    texts[name] = head + "      tasks:\n" + "".join(blocks)


def _without_parameter(texts: dict[str, str], draw: random.Random) -> None:
    text = texts["databricks.yml"]
    lines = re.findall(r" +- \{ name: (\w+), default: \"\$\{var\.\1\}\" \}\n", text)
    texts["databricks.yml"] = re.sub(rf" +- {{ name: {draw.choice(lines)},.*\n", "", text)


def _misspelled_parameter(texts: dict[str, str], draw: random.Random) -> None:
    text = texts["databricks.yml"]
    names = [each for each in re.findall(r"- \{ name: (\w+),", text) if len(each) > 4]
    name = draw.choice(names)
    wrong = name[:2] + name[3:]
    texts["databricks.yml"] = text.replace(f"{{ name: {name},", f"{{ name: {wrong},")


DAMAGES = (
    _misspelled, _without_permissions, _without_pause, _shuffled, _without_parameter,
    _misspelled_parameter,
)  # fmt: skip
_QUIETLY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(deadline=None, max_examples=8, suppress_health_check=_QUIETLY)
@given(
    damages=st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=3, unique=True),
    draw=st.randoms(use_true_random=False),
)
def test_damages_are_mended(damages: list[Callable], draw: Any, whole: Any, tmp_path: Path):
    root = tmp_path / "bundle"
    if root.exists():
        shutil.rmtree(root)
    texts = _texts(_copy(root))
    for damage in damages:
        damage(texts, draw)
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    fix = fixed(root, TARGET, {}, "ana")
    write_files(root, fix)
    bundle, found = diagnose(root, TARGET, None, "ana")
    assert found == ()
    assert _by_key(bundle.config) == _by_key(whole)
    for job, resource in whole["resources"]["jobs"].items():
        again = [task["task_key"] for task in bundle.config["resources"]["jobs"][job]["tasks"]]
        assert _sorted(resource["tasks"], again)
    assert fixed(root, TARGET, {}, "ana").after == {}


def _sorted(tasks: list[dict], keys: list[str]) -> bool:
    waits_for = {
        task["task_key"]: {each["task_key"] for each in task.get("depends_on", [])}
        for task in tasks
    }
    return all(waits_for[key] <= set(keys[:place]) for place, key in enumerate(keys))


def _by_key(value: Any) -> Any:
    """The same, with tasks by their key: their order means nothing to Databricks."""
    if isinstance(value, dict):
        return {key: _by_key(each) for key, each in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(each, dict) and "task_key" in each for each in value):
            return {each["task_key"]: _by_key(each) for each in value}
        return [_by_key(each) for each in value]
    return value


@pytest.mark.parametrize("folder", sorted((BUNDLES / "good").iterdir()), ids=lambda f: f.name)
def test_a_valid_bundle_means_what_it_meant(folder: Path, tmp_path: Path):
    root = shutil.copytree(folder, tmp_path / "bundle")
    before = load(root, None, None, "ana").config
    fix = fixed(root, None, {}, "ana")
    write_files(root, fix)
    assert _by_key(load(root, None, None, "ana").config) == _by_key(before)
    assert {item.severity for item in fix.made} <= {"note"}


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_nothing_is_to_mend_here(target: str):
    assert fixed(ROOT, target, {"service_principal": "x"}, "ana").after == {}


@pytest.mark.parametrize("folder", sorted((BUNDLES / "broken").iterdir()), ids=lambda f: f.name)
def test_a_second_fix_changes_nothing(folder: Path, tmp_path: Path):
    root = shutil.copytree(folder, tmp_path / "bundle")
    fix = fixed(root, None, {}, "ana")
    write_files(root, fix)
    found = diagnose(root, None, None, "ana")[1]
    assert fixed(root, None, {}, "ana").after == {}
    assert not {(item.path, item.summary) for item in fix.made} & {
        (item.path, item.summary) for item in found
    }
    for name, text in fix.after.items():
        assert text.count("#") == fix.before[name].count("#")


PARAMETERS = """\
bundle: {name: b}
variables: {day: {default: "2026-01-01"}, hours: {default: "1"}}
resources:
  jobs:
    etl:
      name: etl
      parameters:
        - name: dya # of the run
          default: "2026-01-01"
      tasks:
        - task_key: load
          notebook_task:
            notebook_path: load.py
"""
READS = "# Databricks notebook source\n" + "\n".join(
    f'dbutils.widgets.get("{name}")' for name in ("hours", "day", "unknown")
)


def test_parameters_are_renamed_or_wired_but_not_made_up(write_bundle: Callable[..., Path]):
    root = write_bundle(PARAMETERS, READS)
    fix = fixed(root, None, {}, "ana")
    assert fix.after["databricks.yml"] == PARAMETERS.replace("dya #", "day #").replace(
        "        - name: day",
        '        - name: hours\n          default: "${var.hours}"\n        - name: day',
    )
    errors = [item.summary for item in diagnose(root, None, None, "ana", fix.after)[1]]
    assert errors == ["task 'load' reads widget 'unknown' (load.py:4), which nothing fills"]


def test_what_is_ambiguous_is_left_and_told(write_bundle: Callable[..., Path]):
    text = PARAMETERS.replace("dya #", "day #").replace("name: etl", "nmae: etl\n      name: etl")
    text = text.replace("load.py", "load.py\n          depends_on: [{task_key: store_c}]")
    for key in ("store_a", "store_b"):
        text += f"        - {{task_key: {key}, notebook_task: {{notebook_path: load.py}}}}\n"
    root = write_bundle(text, '# Databricks notebook source\ndbutils.widgets.get("day")')
    fix = fixed(root, None, {}, "ana")
    assert fix.after == {}
    assert {item.summary: why for item, why in fix.left.items()} == {
        "unknown field: nmae": "'name' is there already"
    }


def test_a_field_of_another_kind_is_not_renamed(write_bundle: Callable[..., Path]):
    text = "bundle: {name: b}\nresources: {jobs: {etl: {name: etl, taskss: 5, schdule: [1]}}}\n"
    fix = fixed(write_bundle(text, READS), None, {}, "ana")
    assert (fix.after, fix.left) == ({}, {})


def test_a_change_that_would_be_wrong_in_another_way_is_not_made(write_bundle: Callable[..., Path]):
    rest = "notebook_task: {notebook_path: load.py}"
    first = f"{{task_key: first, depends_on: [{{task_key: seccond}}], {rest}}}"
    second = f"{{task_key: second, depends_on: [{{task_key: first}}], {rest}}}"
    job = f"{{name: etl, tasks: [{first}, {second}]}}"
    text = f"bundle: {{name: b}}\nresources: {{jobs: {{etl: {job}}}}}\n"
    fix = fixed(write_bundle(text, "# Databricks notebook source\n"), None, {}, "ana")
    assert fix.after == {}
    told = (
        "then it would be wrong in another way: tasks wait for each other: first -> second -> first"
    )
    assert list(fix.left.values()) == [told]


@pytest.fixture
def write_bundle(write: Callable[..., Path]) -> Callable[..., Path]:
    """A bundle of one file and one notebook."""
    return lambda text, notebook: write(**{"databricks.yml": text, "load.py": notebook})


def test_only_what_was_looked_at_is_written(write: Callable[..., Path]):
    root = write(**{"databricks.yml": "bundle: {name: b}\nvairables: {}\n"})
    fix = fixed(root, None, {}, "ana")
    later = "bundle: {name: c}\nvairables: {}\n"
    write(**{"databricks.yml": later})
    with pytest.raises(BundleError, match="databricks.yml was changed meanwhile"):
        write_files(root, fix)
    assert (root / "databricks.yml").read_text() == later
    assert [path.name for path in root.iterdir()] == ["databricks.yml"]


def test_a_file_keeps_its_mode_its_link_and_its_line_ends(write: Callable[..., Path]):
    root = write(**{"real.yml": ""})
    text = b"\xef\xbb\xbfvairables: {}\r\nbundle: {name: b}\r\nresuorces: {}\r\n"
    (root / "real.yml").write_bytes(text)
    (root / "real.yml").chmod(0o640)
    (root / "databricks.yml").symlink_to("real.yml")
    write_files(root, fixed(root, None, {}, "ana"))
    assert (root / "real.yml").read_bytes() == text.replace(b"vairables", b"variables").replace(
        b"resuorces", b"resources"
    )
    assert (root / "real.yml").stat().st_mode & 0o777 == 0o640
    assert (root / "databricks.yml").is_symlink()
