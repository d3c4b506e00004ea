"""Where the SQL of SQLite and of PostgreSQL differs: here, and nowhere else.

Statements are written once, and compiled for the database that they are sent to.
"""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    TextClause,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = [
    "STRING",
    "Listed",
    "NumberIn",
    "Whole",
    "following",
    "greatest",
    "insert",
    "sql",
    "string",
    "unindexed",
    "where_only",
    "written_once",
]

STRING = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is sorted by its bytes, as SQLite does, whatever the server's locale."""

Whole = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit integer: a number, or a time in microseconds of UTC."""

_HINT = re.compile(r" INDEXED BY \w+")
_FIRST = re.compile(r"\bCROSS JOIN (?=\w+\s+ON )")
_EACH = re.compile(r"json_each\((:?[\w.]+)\) AS (\w+)")


class Sql(TextClause):
    """SQL as SQLite has it, with the hints that its planner needs.

    In PostgreSQL the hints fall away, and lists in JSON are taken apart its own way:
    ``INDEXED BY``, ``CROSS JOIN ... ON`` and ``json_each(...) AS name`` may be used.
    """

    inherit_cache = True


def sql(statement: str) -> Sql:
    """Return a statement for either database."""
    return Sql(statement)


@compiles(Sql, "postgresql")
def _for_postgresql(element: Sql, compiler: SQLCompiler, **how: Any) -> str:
    said = _HINT.sub("", element.text)
    said = _FIRST.sub("JOIN ", said)
    said = _EACH.sub(r"json_array_elements_text(CAST(\1 AS json)) AS \2(value)", said)
    return compiler.process(text(said), **how)


class Listed(FunctionElement[Any]):
    """The strings of a list in JSON, as rows of one column ``value``."""

    name = "listed"
    inherit_cache = True


@compiles(Listed)
def _listed(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(Listed, "postgresql")
def _listed_postgresql(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    listed = compiler.process(element.clauses, **how)
    return f"json_array_elements_text(CAST({listed} AS json))"


class NumberIn(FunctionElement[int]):
    """A number within an object in JSON, by its name."""

    type = Whole
    inherit_cache = True

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        super().__init__(column, literal(name))


@compiles(NumberIn)
def _number_in(element: NumberIn, compiler: SQLCompiler, **how: Any) -> str:
    column, name = (compiler.process(one, **how) for one in element.clauses)
    return f"json_extract({column}, '$.' || {name})"


@compiles(NumberIn, "postgresql")
def _number_in_postgresql(element: NumberIn, compiler: SQLCompiler, **how: Any) -> str:
    column, name = (compiler.process(one, **how) for one in element.clauses)
    return f"CAST(CAST({column} AS json) ->> {name} AS bigint)"


class _Sorted(FunctionElement[str]):
    type = Text()
    inherit_cache = True


@compiles(_Sorted)
def _sorted(element: _Sorted, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(_Sorted, "postgresql")
def _sorted_postgresql(element: _Sorted, compiler: SQLCompiler, **how: Any) -> str:
    inner = compiler.process(element.clauses, **how)
    return f'(CAST({inner} AS text) COLLATE "C")'


def string(value: str | ColumnElement[str]) -> ColumnElement[str]:
    """Return a value of the type that our columns of text have."""
    return _Sorted(literal(value) if isinstance(value, str) else value)


class _Greatest(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Greatest)
def _greatest(element: _Greatest, compiler: SQLCompiler, **how: Any) -> str:
    return f"max({compiler.process(element.clauses, **how)})"


@compiles(_Greatest, "postgresql")
def _greatest_postgresql(element: _Greatest, compiler: SQLCompiler, **how: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **how)})"


def greatest(*values: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the greatest of several values of a row."""
    return _Greatest(*values)


class _Written(FunctionElement[Any]):
    """The order in which rows were written, as far as the database knows it."""

    inherit_cache = True


@compiles(_Written)
def _written(_element: _Written, _compiler: SQLCompiler, **_how: Any) -> str:
    return "rowid"


@compiles(_Written, "postgresql")
def _written_postgresql(element: _Written, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


def following(at: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return by what rows are sorted as they were written; ``at`` says when."""
    return _Written(at)


class _Unindexed(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Unindexed)
def _unindexed(element: _Unindexed, compiler: SQLCompiler, **how: Any) -> str:
    return f"+{compiler.process(element.clauses, **how)}"


@compiles(_Unindexed, "postgresql")
def _unindexed_postgresql(
    element: _Unindexed, compiler: SQLCompiler, **how: Any
) -> str:
    return compiler.process(element.clauses, **how)


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column for a condition that is not to be met by an index of SQLite.

    Where all rows of a partition are wanted as they were written, it would rather read
    them by its key and sort them.
    """
    return _Unindexed(column)


def where_only(condition: str) -> dict[str, Any]:
    """Return how an index is kept to the rows that meet ``condition``."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


REFUSE = """
CREATE OR REPLACE FUNCTION mes_written_once() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME
USING ERRCODE = 'integrity_constraint_violation'; END $$"""


def written_once(dialect: str, table: str) -> Iterator[str]:
    """Yield the SQL that keeps the rows of ``table`` as written, in this dialect."""
    if dialect == "postgresql":
        yield REFUSE
        yield (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION mes_written_once()"
        )
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION mes_written_once()"
        )
        return
    for verb in ("update", "delete"):
        yield (
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is written once'); END"
        )
