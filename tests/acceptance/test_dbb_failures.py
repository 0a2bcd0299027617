"""A full disk, a broken table, a folder that can't be written: a message, a code, a record."""

from __future__ import annotations

import json
import resource
import subprocess

import pytest

pytestmark = pytest.mark.integration

FILLS = """
import pathlib

print("y" * 3_000_000)

# COMMAND ----------

with open(dbutils.widgets.get("file"), "wb") as file:
    while True:
        file.write(b"x" * 4096)
"""
JOBS = """
    main:
      name: main
      parameters: [{name: file, default: none}]
      tasks:
        - task_key: before
          notebook_task: {notebook_path: ok.py}
        - task_key: fills
          depends_on: [{task_key: before}]
          notebook_task: {notebook_path: fills.py}
        - task_key: after
          run_if: ALL_DONE
          depends_on: [{task_key: fills}]
          notebook_task: {notebook_path: ok.py}
"""


@pytest.fixture
def small_disk(tmp_path):
    """A folder where 2 MB fit, and how to start a process there.

    A file system of its own where we may mount one, else a limit on the size of a file.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True
    )
    if mounted.returncode == 0:
        yield folder, {}
        subprocess.run(["umount", folder], check=True)
    else:
        limit = (1_000_000, resource.RLIM_INFINITY)
        yield folder, {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)}


def test_a_full_disk_ends_the_run_in_order(project, small_disk):
    disk, options = small_disk
    folder = project(JOBS, {"ok.py": "print(1)\n", "fills.py": FILLS})
    process = folder.start(
        "run",
        "main",
        "--local",
        "--lakehouse",
        str(disk),
        "--params",
        f"file={disk}/big",
        **options,
    )
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    assert "No space left" in said or "File too large" in said
    (path,) = disk.glob("runs/*/run.json")
    record = json.loads(path.read_text())
    assert (record["state"], record["end"] is not None) == ("FAILED", True)
    assert record["tasks"][0]["state"] == "SUCCESS"
    fills = record["tasks"][1]
    assert fills["state"] in ("FAILED", "CANCELED")
    assert path.with_name("index.html").is_file()
    assert not [each for each in record["tasks"] if each["state"] in ("RUNNING", "PENDING")]


def test_a_disk_that_is_full_from_the_start(project, small_disk):
    disk, options = small_disk
    folder = project(JOBS, {"ok.py": "print(1)\n", "fills.py": FILLS})
    with pytest.raises(OSError, match="No space left|File too large"):
        _fill(disk, options)
    process = folder.start("run", "main", "--local", "--lakehouse", str(disk), **options)
    said, _ = process.communicate(timeout=60)
    if not options:
        assert process.returncode == 1
        assert "no space left on the disk: free some" in said
    assert "Traceback" not in said


def _fill(disk, options):
    if options:
        raise OSError("File too large")
    with (disk / "big").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.mark.parametrize("where", ["/dev/null", "databricks.yml"])
def test_a_lakehouse_that_cannot_be_written(project, where):
    folder = project(JOBS, {"ok.py": "print(1)\n", "fills.py": FILLS})
    done = folder.dbb("run", "main", "--local", "--lakehouse", where)
    assert done.returncode == 1
    assert f"{where}/runs can't be written (Not a directory)" in done.stderr
    assert "Traceback" not in done.stderr


SCHEMAS = "  schemas:\n    sales: {catalog_name: shop, name: sales}\n"


def test_a_corrupt_delta_log(project):
    jobs = JOBS.partition("        - task_key: fills")[0]
    folder = project(jobs, {"ok.py": "print(spark.range(1).count())\n"}, SCHEMAS)
    log = folder.lakehouse / "shop" / "sales" / "orders" / "_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("{ this is no commit")
    done = folder.dbb("run", "main", "--local")
    assert done.returncode == 1
    (record,) = folder.records()
    message = record["tasks"][0]["error"]["message"]
    for text in ("table shop.sales.orders", str(log.parent), "Restore the folder"):
        assert text in message
        assert text in done.stdout


ENGINE = {
    "preloaded.py": """
import sys

wanted = {"pandas", "pyarrow", "pysail", "pyspark.sql.connect", "mlflow", "lightgbm", "sklearn"}
assert wanted <= sys.modules.keys(), wanted - sys.modules.keys()
assert not [name for name in globals() if name.startswith("spa")]
""",
    "writes.py": """
schema = dbutils.widgets.get("schema")
frame = spark.createDataFrame([(1, "a"), (2, "b<c")], "id int, name string")
frame.write.format("delta").mode("overwrite").saveAsTable(f"{schema}.orders")
""",
    "reads.py": """
# MAGIC %sql
# MAGIC SELECT id, name, :schema AS told FROM shop.sales.orders ORDER BY id; -- two; statements
# MAGIC SELECT count(*) AS rows FROM shop.sales.orders

# COMMAND ----------

import matplotlib.pyplot as plt

plt.plot([1, 2, 3])
print("drawn")

# COMMAND ----------

display(spark.table("shop.sales.orders").orderBy("id"))
dbutils.notebook.exit(_sqldf.first().rows)
""",
}
ENGINE_JOBS = """
    main:
      name: main
      parameters: [{name: schema, default: shop.sales}]
      tasks:
        - task_key: preloaded
          notebook_task: {notebook_path: preloaded.py}
        - task_key: writes
          notebook_task: {notebook_path: writes.py}
        - task_key: reads
          depends_on: [{task_key: writes}]
          notebook_task: {notebook_path: reads.py}
"""


@pytest.mark.slow
def test_the_engine_tables_and_plots(project):
    folder = project(ENGINE_JOBS, ENGINE, SCHEMAS)
    del folder.environment["NEXTBEST_PRELOAD"]
    done = folder.dbb("run", "main", "--local")
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = folder.records()
    assert record["tasks"][2]["result"] == "2"
    run = folder.lakehouse / "runs" / record["run_id"]
    page = (run / record["tasks"][2]["attempts"][0]["page"]).read_text()
    for text in ("<td>b&lt;c</td>", "data:image/png;base64,", "drawn", "<th>rows</th>"):
        assert text in page
    assert page.count("data:image/png") == 1
    assert (folder.lakehouse / "shop" / "sales" / "orders" / "_delta_log").is_dir()


@pytest.mark.slow
def test_a_record_that_vanishes_ends_the_run(project):
    body = "import os\nimport shutil\n\nshutil.rmtree(os.environ['NEXTBEST_LAKEHOUSE'])\n"
    hangs = "import time\n\ntime.sleep(600)\n"
    jobs = JOBS.partition("        - task_key: fills")[0] + (
        "        - task_key: beside\n          notebook_task: {notebook_path: hangs.py}\n"
    )
    done = project(jobs, {"ok.py": body, "hangs.py": hangs}).dbb("run", "main", "--local")
    assert done.returncode == 1
    assert "can't be written (No such file or directory)" in done.stderr
    assert "Traceback" not in done.stderr
