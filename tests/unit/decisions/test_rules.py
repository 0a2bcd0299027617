import datetime as dt

import pytest
from pyspark.sql import functions as F

from nextbest.decisions.rules import parse_rule
from nextbest.errors import DataError

DAY = dt.date(2026, 1, 31)
KINDS = {
    "tenure_months": "double", "visits": "bigint", "spend": "decimal(10,2)", "segment": "string",
    "sms_consent": "boolean", "born": "date", "seen": "timestamp", "tags": "array<string>",
}  # fmt: skip


def refusal(text):
    with pytest.raises(DataError) as refused:
        parse_rule(text, KINDS, DAY)
    return str(refused.value)


@pytest.mark.unit
@pytest.mark.parametrize(
    "text",
    [
        "sms_consent", "NOT sms_consent AND (visits > 1 OR spend / visits >= 2.5)", "`visits` = 1",
        "Segment IN ('a', 'b') or segment not in ('c')", "visits NOT BETWEEN -1 AND 1e3",
        "segment LIKE 'lo%' AND segment NOT LIKE '_x'", "born IS NOT NULL", "abs(-visits) % 3 = 0",
        "CASE WHEN sms_consent THEN visits ELSE 0 END > 1", "IF(sms_consent, visits, null) <> 1",
        "coalesce(sms_consent, false)", "least(visits, spend) < greatest(1, 2)",
        "length(lower(segment)) = 3 OR upper(segment) = 'IT\\'S'", "days_since(born) > 18 * 365",
        "DAYS_SINCE(seen) <= 7", "born < DATE '2008-01-31'", "seen > TIMESTAMP '2026-01-01'",
        "true",
        "visits /* so many */ > 1 -- at least",
    ],
)  # fmt: skip
def test_what_the_language_knows(text):
    assert parse_rule(text, KINDS, DAY).text == text


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tenur_months > 3", "unknown column 'tenur_months' at position 1: did you mean 'tenure_m"),
        ("visits > 1 AND zzz", "unknown column 'zzz' at position 16: known are tenure_months, vis"),
        ("customers.visits > 1", "COLUMN is not allowed"),
        ("reflect('java.lang.System', 'exit') = 1", "REFLECT of 2 values is not allowed"),
        ("visits > 1 AND java_method('a', 'b')", "found at position 16"),
        ("rand() < 0.5", "RAND is not allowed (allowed are columns, numbers"),
        ("current_date() > born", "CURRENT_DATE is not allowed"),
        ("visits IN (SELECT 1)", "IN is not allowed"),
        ("EXISTS (SELECT 1)", "EXISTS is not allowed"),
        ("visits > (SELECT max(visits) FROM t)", "SUBQUERY is not allowed"),
        ("count(visits) OVER () > 1", "WINDOW is not allowed"),
        ("transform(tags, x -> x)", "TRANSFORM is not allowed"),
        ("visits::string = 'a'", "CAST is not allowed"),
        ("segment RLIKE 'a'", "REGEXP_LIKE is not allowed"),
        ("segment = 'it''s'", "CONCAT is not allowed"),
        ("segment LIKE 'a\\\\_'", "LIKE takes a text of which no character is \\"),
        ("tags IS NULL", "column 'tags', which is array<string>"),
        ("segment > 3", "text and a number together at position 1"),
        ("born > '2026-01-01'", "a date and text together"),
        ("seen > DATE '2026-01-01'", "a timestamp and a date together"),
        ("born > DATE '2026-02-30'", "'2026-02-30' is no date"),
        ("seen > TIMESTAMP '0001-01-01 00:00:00+14:00'", "is no timestamp"),
        ("visits > 1E", "'1E', which is no number"),
        ("visits = NULL", "use IS NULL"),
        ("visits IN (1, NULL)", "IN takes a list of literals without NULL"),
        ("sms_consent > true", "true and false have no order"),
        ("1 < visits < 3", "true or false and a number together"),
        ("visits AND sms_consent", "a number where true or false is needed"),
        ("visits / 0 > 1", "a division by 0 at position 1"),
        ("visits > 1e999", "a number larger than any double"),
        ("visits", "it is a number, not boolean; compare it with something"),
        ("null", "it is NULL, not boolean"),
        ("sms_consent (", "Expecting ) at position 13"),
        ("sms_consent AND\n)", "at position 17, near ')'"),
        ("sms_consent; DROP TABLE t", "at position 14, near 'DROP'"),
        ("segment = 'a", "Error tokenizing"),
        (" ", "it is empty"),
        ("(" * 5_000, "nested too deeply"),
        ("NOT " * 30 + "sms_consent", "more than 20 levels"),
        ("sms_consent OR " * 900, "13500 characters; 10000 are the most"),
    ],
)
def test_what_it_refuses(text, message):
    assert message in refusal(text)


@pytest.mark.unit
def test_everything_wrong_with_a_rule_is_said_at_once():
    said = refusal("visit > 1 AND rand() > 2 AND segment > 3")
    for words in ("unknown column 'visit'", "RAND is not", "text and a number"):
        assert words in said


@pytest.mark.integration
def test_long_rules_do_not_end_the_engine(spark):
    long = " AND ".join(f"visits <> {k}" for k in range(500))
    deep = "IF(visits / visits = 1, " * 4 + "sms_consent" + ", false)" * 4
    frame = spark.sql("SELECT CAST(-1 AS bigint) visits, true sms_consent")
    rules = [parse_rule(text, KINDS, DAY).sql for text in (long, deep)]
    assert frame.select(*[F.expr(rule) for rule in rules]).collect()[0][:] == (True, True)
