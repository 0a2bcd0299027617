"""Column by column the documented metric tables."""

from __future__ import annotations

import pytest

from nextbest.monitoring.schemas import drift_schema, profile_schema

pytestmark = pytest.mark.unit
PROFILE = """window struct<start:timestamp,end:timestamp>|log_type string
logging_table_commit_version int|monitor_version bigint|granularity string|slice_key string
slice_value string|column_name string|count bigint|data_type string|num_nulls bigint|avg double
quantiles array<double>|min double|max double|stddev double|num_zeros bigint|num_nan bigint
min_length double|max_length double|avg_length double|non_null_columns array<string>
frequent_items array<struct<item:string,count:bigint>>|median double|distinct_count bigint
percent_nan double|percent_null double|percent_zeros double|percent_distinct double|model string"""
AVERAGES = "struct<one_vs_all:map<string,double>,macro:double,weighted:double>"
QUALITY = f"""accuracy_score double
confusion_matrix array<struct<prediction:string,label:string,count:bigint>>
precision {AVERAGES}|recall {AVERAGES}|f1_score {AVERAGES}
mean_squared_error double|root_mean_squared_error double|mean_average_error double
mean_absolute_percentage_error double|r2_score double"""
DRIFT = """window struct<start:timestamp,end:timestamp>|granularity string|monitor_version bigint
slice_key string|slice_value string|column_name string|data_type string
window_cmp struct<start:timestamp,end:timestamp>|drift_type string|count_delta bigint
avg_delta double|percent_null_delta double|percent_zeros_delta double
percent_distinct_delta double
non_null_columns_delta struct<added:array<string>,missing:array<string>>|js_distance double
ks_test struct<statistic:double,pvalue:double>|wasserstein_distance double
population_stability_index double|chi_squared_test struct<statistic:double,pvalue:double>
tv_distance double|l_infinity_distance double|model string"""


@pytest.mark.parametrize(
    ("schema", "documented"),
    [
        (profile_schema("model"), f"{PROFILE}\n{QUALITY}"),
        (profile_schema(), PROFILE.removesuffix("|model string")),
        (drift_schema("model"), DRIFT),
    ],
)
def test_columns_are_the_documented_ones(schema, documented):
    ours = [f"{field.name} {field.dataType.simpleString()}" for field in schema.fields]
    assert ours == documented.replace("\n", "|").split("|")
