from __future__ import annotations

import gzip
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nextbest.data.own_log.dialects import decimal_of, sniff
from nextbest.data.own_log.files import Dialect, header, read
from nextbest.errors import DataError, UsageError

pytestmark = pytest.mark.unit


def rows(path, dialect, columns=None):
    found = list(read(path, dialect, columns))
    table = pa.concat_tables([each.columns for each in found], promote_options="default")
    return table.to_pylist(), [line for each in found for line in each.broken]


def test_a_csv_is_text_as_it_stands_and_a_broken_line_is_set_aside(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfid;id;;x\r\n1;"a;""b""";;"two\nlines"\r\n2;c\r\n3;d;;01,50\r\n')
    dialect, told, _ = sniff(path)
    assert (dialect.delimiter, dialect.encoding) == (";", "utf-8")
    assert any("same name" in each for each in told)
    assert header(path, dialect) == ("id", "id.2", "column_3", "x")
    found, broken = rows(path, dialect)
    assert found[0] == {"id": "1", "id.2": 'a;"b"', "column_3": "", "x": "two\nlines"}
    assert found[1]["x"] == "01,50"
    assert broken == ["a line of 2 values, not 4: 2;c"]
    assert rows(path, dialect, ["x"])[0][1] == {"x": "01,50"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-8"])
def test_encodings_are_found(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("año,x\nñandú,1\n".encode(encoding))
    dialect, _, _ = sniff(path)
    assert rows(path, dialect)[0] == [{"año": "ñandú", "x": "1"}]


def test_json_lines_are_flat_and_a_line_that_is_none_is_set_aside(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": {"b": 1.50, "c": [1, "x"]}, "t": true}\nnonsense\n\n{"d": null}\n[1]\n')
    found, broken = rows(path, Dialect(format="json"))
    assert found[0] == {"a.b": "1.50", "a.c": '["1", "x"]', "t": "true", "d": None}
    assert [line.split(" (")[0] for line in broken] == [
        "a line that is no JSON", "a line that is no JSON object: [1]",
    ]  # fmt: skip
    assert rows(path, Dialect(format="json"), ["a.b", "z"])[0][0] == {"a.b": "1.50", "z": None}


def test_parquet_keeps_its_types(tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "b": [["x"], None]}), tmp_path / "a.parquet")
    found, _ = rows(tmp_path / "a.parquet", Dialect(format="parquet"))
    assert found == [{"a": 1, "b": ["x"]}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the log is empty"), (b"PK\x03\x04", "an Excel workbook"),
        (b"PAR1", "Parquet without"),
        (b"a,b\0c\n", "zero bytes"), (b"one\ntwo\n", "one column only"),
        (b'{\n "a": 1\n}\n{\n', r"an object stands on several lines: .* \(jq -c \."),
        (b"1::2::3\n1::2::4\n", "parted by '::'"), (b"1:0.5:0.3 | a b\n" * 3, "Vowpal Wabbit"),
    ],
)  # fmt: skip
def test_what_is_no_log_is_told(tmp_path, content, told):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=told):
        sniff(tmp_path / "a.csv")


def test_lines_before_the_header_and_none_at_all(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("A report\n\na,b\nx,2\ny,4\n")
    dialect, told, _ = sniff(path)
    assert rows(path, dialect)[0] == [{"a": "x", "b": "2"}, {"a": "y", "b": "4"}]
    path.write_text("1\t2\n3\t4\n")
    dialect, told, _ = sniff(path)
    assert rows(path, dialect)[0][0] == {"column_1": "1", "column_2": "2"}
    assert "no header" in told[0]


def test_a_wrong_encoding_later_on_names_the_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"x,y\n" * 10 + "ñ,y\n".encode("cp1252"))
    with pytest.raises(DataError, match="a.csv: .*row 0"):
        rows(path, Dialect())
    assert len(rows(path, replace(Dialect(), encoding="cp1252"))[0]) == 11


def test_the_decimal_mark():
    assert decimal_of(pa.table({"a": ["1,50", "2"]})) == (",", [])
    assert decimal_of(pa.table({"a": ["1.5", "1,000.50"]})) == (".", [])
    mark, told = decimal_of(pa.table({"a": ["1.5", "2,25", "3,5"]}))
    assert mark == ","
    assert "both ways" in told[0]
    columns = {"p": ["0,3"] * 9, "version": [f"{k}.1" for k in range(9)]}
    assert decimal_of(pa.table(columns), ";")[0] == ","
    assert decimal_of(pa.table(columns), ",")[0] == "."
    assert decimal_of(pa.table({**columns, "x": ["1,5"] * 9}), ",")[0] == ","


@pytest.mark.parametrize(
    ("at", "closed", "place"),
    [
        (6, None, "row 11, column 'region' goes on over 51 lines"), (3, None, "a broken line"),
        (6, 40, "row 11, column 'region' goes on over 31 lines"),
        (3, 11, "row 11, column 'offer' goes on over 2 lines"),
    ],
)  # fmt: skip
def test_a_quote_that_is_not_closed_swallows_no_rows_in_silence(tmp_path, at, closed, place):
    lines = [["id", "who", "ts", "offer", "p", "click", "region"]]
    lines += [[f"d{k}", "c", "2026-01-01", "A", "0.5", "1", "n"] for k in range(60)]
    lines[11][at] = '"5 inch'
    if closed is not None:
        lines[closed + 1][at] = 'x"'
    path = tmp_path / "a.csv"
    path.write_text("\n".join(map(",".join, lines)) + "\n")
    with pytest.raises(DataError, match=f"a.csv: {place}.* not closed; .* log.quote: ''"):
        rows(path, Dialect(), ["id"])  # also where the column is not asked for
    assert len(rows(path, replace(Dialect(), quote=""), ["id"])[0]) == 60


def test_a_quote_that_is_never_closed_in_a_large_log_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\nx,"y,z\n' + "x,y,z\n" * 1_000_000)
    with pytest.raises(DataError, match="after row 0: a value goes on over more than 2,097,152 by"):
        rows(path, Dialect())


def test_a_text_of_several_lines_is_no_swallowed_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,x,text\n1,2,"Dear all,\n\nwell, yes, no, perhaps, so\nbye, then"\n')
    assert len(rows(path, Dialect())[0]) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n\x81rea,1\n", "is no UTF-8, nor cp1252 .*: write it anew as UTF-8, as `iconv"),
        (b"\xef\xbb\xbfa,b\nS\xfcd,1\n", "though its byte order mark promises utf-8"),
    ],
)
def test_text_of_no_encoding_that_we_know_is_told(tmp_path, content, told):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=told):
        sniff(tmp_path / "a.csv")


def test_an_encoding_that_is_guessed_is_a_doubt(tmp_path):
    (tmp_path / "a.csv").write_bytes("año,x\nñandú,1\n".encode("cp1252"))
    _, told, doubts = sniff(tmp_path / "a.csv")
    assert told == []
    assert "read as cp1252" in doubts[0]


def test_a_cell_may_hold_a_document(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f'a,b\n1,"{"x" * 140_000}"\n2,y\n')
    assert len(rows(path, sniff(path)[0])[0]) == 2


def test_columns_named_by_numbers_are_a_header(tmp_path):
    path = tmp_path / "a.csv"
    for content, header_ in (
        ("region,0,1\nn,0.5,7\ns,0.1,9\n", True), ("n,0,1\nn,5,7\n", False),
        ("a,b,7\nn,5,7\n", False), ("0,1,2\n3,5,7\n", False),
    ):  # fmt: skip
        path.write_text(content)
        assert sniff(path)[0].header == header_, content


def test_lines_of_one_value_more_than_the_header_are_told(tmp_path):
    path = tmp_path / "a.csv"
    for lines in ('"1",A,x\n"2",B,y\n', "A,x,\nB,y,\n"):  # R's row names; a delimiter at the end
        path.write_text("offer,click\n" + lines)
        with pytest.raises(
            UsageError, match="a.csv:1: the header has 2 names, and the lines below"
        ):
            sniff(path)


def test_a_line_end_in_a_name_takes_no_row_away(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('"A report\nof lines"\nid,"propensity\n (logged)"\n1,0.5\n2,0.3\n')
    dialect = sniff(path)[0]
    assert dialect.skip == 2
    assert header(path, dialect) == ("id", "propensity (logged)")
    assert [row["id"] for row in rows(path, dialect)[0]] == ["1", "2"]


def test_a_suffix_may_be_in_capitals(tmp_path):
    path = tmp_path / "LOG.CSV.GZ"
    path.write_bytes(gzip.compress(b"a,b\n1,x\n"))
    assert rows(path, sniff(path)[0])[0] == [{"a": "1", "b": "x"}]
