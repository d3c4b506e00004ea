"""Columns by the kind of what they keep; not nullable unless said to be optional."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table
from sqlalchemy.schema import SchemaItem

from mes_engine.storage.dialect import STRING, Whole
from mes_engine.storage.metadata import Body, Flag, Quantity, Word, metadata


def strict_table(name: str, *items: SchemaItem, has_rowid: bool = True) -> Table:
    """Return a table of ``metadata`` whose columns hold their declared type only.

    Args:
        name: Of the table.
        items: Its columns, constraints and indexes.
        has_rowid: False for what is written once and read by its key: writing is
            cheaper. For other tables SQLite would, not knowing better, rather read all
            of a partition by that key than use an index.
    """
    return Table(
        name,
        metadata,
        *items,
        sqlite_strict=True,
        sqlite_with_rowid=has_rowid,
    )


def partition() -> Column[str]:
    """Return the column that begins the key of every table of the engine."""
    return Column("partition", STRING, primary_key=True)


def key(name: str) -> Column[str]:
    """Return a text column of the primary key."""
    return Column(name, STRING, primary_key=True)


def number_key(name: str) -> Column[int]:
    """Return an integer column of the primary key, given by us."""
    return Column(name, Whole, primary_key=True, autoincrement=False)


def string(name: str, *, is_optional: bool = False) -> Column[str]:
    """Return a column of text."""
    return Column(name, STRING, nullable=is_optional)


def whole(name: str, *, is_optional: bool = False) -> Column[int]:
    """Return a column of integers, or of times in microseconds of UTC."""
    return Column(name, Whole, nullable=is_optional)


def quantity(name: str) -> Column[Decimal]:
    """Return a column of exact decimals."""
    return Column(name, Quantity, nullable=False)


def flag(name: str) -> Column[bool]:
    """Return a column that is true or false."""
    is_either = CheckConstraint(f"{name} IN (0, 1)", name=name)
    return Column(name, Flag, is_either, nullable=False)


def word(
    name: str, enumeration: type[StrEnum], *, is_optional: bool = False
) -> Column[StrEnum]:
    """Return a column that takes the words of ``enumeration`` and no others."""
    is_known = CheckConstraint(one_of(name, enumeration), name=name)
    return Column(name, Word(enumeration), is_known, nullable=is_optional)


def body(name: str, of: Any) -> Column[Any]:
    """Return a column of JSON, read as ``of``."""
    return Column(name, Body(of), nullable=False)


def one_of(name: str, words: Iterable[str]) -> str:
    """Return the SQL condition that column ``name`` is one of ``words``."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"{name} IN ({listed})"
