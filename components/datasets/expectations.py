"""Whether data may pass: Great Expectations over tables, with a page that shows why. The one place that imports it."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from components.core.environment import prepare
from components.core.errors import Refused

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

ROWS_SHOWN = 20


@dataclass(frozen=True)
class Batch:
    """One table and what is expected of it. rows_by: the columns that name an offending row to a person."""

    name: str
    table: pd.DataFrame
    expectations: "list[Expectation]"
    rows_by: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """A broken expectation: its type, the table, one sentence, how many rows break it and the first of them."""

    expectation: str
    table: str
    sentence: str
    count: int
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """An expectation for a page: of which table, whether it is kept, its sentence, and the rows that break it."""

    table: str
    kept: bool
    sentence: str
    rows: tuple[str, ...] = ()


def check(batches: list[Batch], docs: Path) -> tuple[list[Outcome], list[Failure]]:
    """Check every batch and write Data Docs pages to the folder `docs`; returns all outcomes, and the failures.

    Raises Refused for a batch without rows or without expectations: Great Expectations calls those a success.
    """
    for batch in batches:
        if batch.table.empty or not batch.expectations:
            lacking = "no rows" if batch.table.empty else "nothing expected of it"
            raise Refused(
                f"the table '{batch.name}' has {lacking}, so checking it would prove nothing: run ingest again."
            )
    assert batches
    prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations
        outcome = _run(batches, docs)
    results = [(batch, result) for batch in batches for result in outcome[batch.name]]
    outcomes = [_outcome(batch, result) for batch, result in results]
    return outcomes, [_failure(batch, result) for batch, result in results if not result.success]


def unique(column: str, sentence: str) -> "Expectation":
    """No value twice."""
    return _rule("ExpectColumnValuesToBeUnique", sentence, column=column)


def matches(column: str, pattern: str, sentence: str) -> "Expectation":
    """Every value matches the regular expression."""
    return _rule("ExpectColumnValuesToMatchRegex", sentence, column=column, regex=pattern)


def one_of(column: str, values: Sequence[object], sentence: str) -> "Expectation":
    """Every value is one of these."""
    return _rule("ExpectColumnValuesToBeInSet", sentence, column=column, value_set=list(values))


def present(column: str, sentence: str) -> "Expectation":
    """No value is missing."""
    return _rule("ExpectColumnValuesToNotBeNull", sentence, column=column)


def absent(column: str, sentence: str) -> "Expectation":
    """Every value is missing."""
    return _rule("ExpectColumnValuesToBeNull", sentence, column=column)


def contains(column: str, values: Sequence[object], sentence: str) -> "Expectation":
    """Each of these values occurs."""
    return _rule("ExpectColumnDistinctValuesToContainSet", sentence, column=column, value_set=list(values))


def between(column: str, low: float, high: float | None, sentence: str) -> "Expectation":
    """Every value is at least `low` and at most `high`, where there is a `high`."""
    return _rule("ExpectColumnValuesToBeBetween", sentence, column=column, min_value=low, max_value=high)


def pairs_equal(left: str, right: str, sentence: str) -> "Expectation":
    """Both columns have the same value in every row."""
    return _rule("ExpectColumnPairValuesToBeEqual", sentence, column_A=left, column_B=right)


def at_least(left: str, right: str, sentence: str) -> "Expectation":
    """In every row `left` is not smaller than `right`."""
    kind = "ExpectColumnPairValuesAToBeGreaterThanB"
    return _rule(kind, sentence, column_A=left, column_B=right, or_equal=True)


def _rule(kind: str, sentence: str, **options: object) -> "Expectation":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepare()
        from great_expectations import expectations

        rule: Expectation = getattr(expectations, kind)(description=sentence, **options)
    return rule


def _run(batches: list[Batch], docs: Path) -> "dict[str, list[ExpectationValidationResult]]":
    """Results by batch name, in the order the expectations are listed."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.get_site_names()):
        context.delete_data_docs_site(site)
    context.add_data_docs_site("docs", _site(docs))
    source = context.data_sources.add_pandas("ingest")
    outcome = {}
    for batch in batches:
        definition = source.add_dataframe_asset(batch.name).add_batch_definition_whole_dataframe(batch.name)
        suite = context.suites.add(gx.ExpectationSuite(name=batch.name, expectations=batch.expectations))
        validation = gx.ValidationDefinition(name=batch.name, data=definition, suite=suite)
        result = context.validation_definitions.add(validation).run(
            batch_parameters={"dataframe": batch.table},
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": list(batch.rows_by),
                "partial_unexpected_count": ROWS_SHOWN,
            },
        )
        order = [expectation.id for expectation in suite.expectations]
        outcome[batch.name] = sorted(result.results, key=lambda one: order.index(_expected(one).id))
    context.build_data_docs(["docs"])
    return outcome


def _site(docs: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.absolute())},
    }


def _outcome(batch: Batch, result: "ExpectationValidationResult") -> Outcome:
    if result.success:
        return Outcome(batch.name, True, str(_expected(result).description))
    failure = _failure(batch, result)
    rows = tuple(", ".join(f"{name} {row[name]}" for name in sorted(row)) for row in failure.rows)
    return Outcome(batch.name, False, failure.sentence, rows)


def _failure(batch: Batch, result: "ExpectationValidationResult") -> Failure:
    expected, found = _expected(result), result.result
    rows = [_plain(row) for row in found.get("partial_unexpected_index_list") or []]
    count = int(found.get("unexpected_count") or 0) if rows else 0
    missing = ", ".join(map(str, found.get("partial_missing_list") or []))
    detail = f"broken by {count} of {len(batch.table)} rows" if rows else f"missing: {missing}"
    return Failure(expected.type, batch.name, f"{expected.description} ({detail})", count, rows[:ROWS_SHOWN])


def _expected(result: "ExpectationValidationResult") -> "ExpectationConfiguration":
    assert result.expectation_config is not None
    return result.expectation_config


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers of numpy as Python's, so that they can be written as JSON."""
    return {key: value.item() if hasattr(value, "item") else value for key, value in row.items()}
