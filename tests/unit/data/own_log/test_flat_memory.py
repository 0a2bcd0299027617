"""A gigabyte of a log is inspected in the memory that a small one takes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_gigabyte_is_inspected_in_flat_memory(tmp_path):
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    peaks = []
    for path, size in ((small, 60_000_000), (large, 1_000_000_000)):
        _awkward(path, size)
        code = (
            "import resource, sys\nfrom nextbest.cli import main\n"
            f"code = main(['inspect-log', {str(path)!r}, '--json'])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
            "sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        path.unlink()
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["rejected"] == 0
        formats = told["mapping"]["decisions"]["decided_at"]["formats"]
        assert set(formats) == {"%d/%m/%Y %H:%M", "iso"}
        peaks.append(int(done.stderr.split()[-1]) * 1024)
        print(path.name, told["rows"], peaks[-1])
    # Ids take 8 bytes each, and as much again while they are sorted: 190 MB; nothing else grows.
    assert peaks[1] - peaks[0] < 300_000_000, peaks


def _awkward(path, size):
    """A mark, semicolons, quotes, two formats of dates, decimal commas, a header twice."""
    head = "id;cliente;fecha;oferta;canal;probabilidad;clic;importe;edad;edad;comentario\r\n"
    offers = [('"Ofrecer ""más"""', "0,5"), ("Ahorro", "0,3"), ("Nada", "0,2")]
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        file.write(head)
        done = 0
        while file.tell() < size:
            lines = []
            for row in range(done, done + 20_000):
                draw = (row * 2_654_435_761) % 1000 / 1000
                offer, chance = offers[0 if draw < 0.5 else 1 if draw < 0.8 else 2]
                day, month, hour = 1 + row % 28, 1 + row % 3, row % 24
                when = f"{day:02d}/{month:02d}/2026 {hour:02d}:30"
                if row % 5 == 0:
                    when = f"2026-{month:02d}-{day:02d}T{hour:02d}:30:00Z"
                click = int(row % 11 == 0)
                money = "1.234,50" if click else "0,00"
                lines.append(
                    f"{row};C{row % 99_991};{when};{offer};email;{chance};{click};"
                    f'{money};{18 + row % 60};{row % 7};"uno; ""dos"""\r\n'
                )
            file.write("".join(lines))
            done += 20_000
