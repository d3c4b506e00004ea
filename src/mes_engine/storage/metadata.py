"""What every table shares: constraint names, STRICT tables, and exact column types.

Each type keeps one kind of a core value as an integer or a text, so that nothing that
counts is ever a float. Modules declare their tables on the same ``metadata``.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Dialect, MetaData
from sqlalchemy.types import TypeDecorator

from mes_engine.core.quantity import ZERO, from_millionths, to_millionths
from mes_engine.storage.dialect import STRING, Whole

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Quantity(TypeDecorator[Decimal]):
    """A decimal, kept as an integer of millionths: exact, and summed exactly."""

    impl = Whole
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Turn a decimal into millionths."""
        return None if value is None else to_millionths(value)

    def process_result_value(
        self, value: int | None, dialect: Dialect
    ) -> Decimal | None:
        """Turn millionths into the decimal that they were made of."""
        if not value:
            return None if value is None else ZERO
        return from_millionths(int(value))  # PostgreSQL adds up to a decimal


class Flag(TypeDecorator[bool]):
    """A truth value, kept as 0 or 1."""

    impl = Whole
    cache_ok = True

    def process_bind_param(
        self,
        value: bool | None,  # noqa: FBT001
        dialect: Dialect,
    ) -> int | None:
        """Turn a truth value into 0 or 1."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        """Turn 0 or 1 into a truth value."""
        return None if value is None else bool(value)


class Word(TypeDecorator[StrEnum]):
    """A member of an enumeration, kept as its word. ``columns.word`` adds the CHECK."""

    impl = STRING
    cache_ok = True

    def __init__(self, enumeration: type[StrEnum]) -> None:
        super().__init__()
        self.enumeration = enumeration
        self._by_word = {member.value: member for member in enumeration}

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """Turn a member into its word."""
        return None if value is None else self._by_word[value].value

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> StrEnum | None:
        """Turn a word into the member that it names."""
        return None if value is None else self._by_word[value]


class Body(TypeDecorator[Any]):
    """A structured value, kept as its JSON; decimals in it are strings.

    Args:
        of: Any type that msgspec can encode.
    """

    impl = STRING
    cache_ok = True

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(of)
        self.read: Callable[[str], Any] = self._decoder.decode

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Turn a value into JSON."""
        return None if value is None else self._encoder.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Turn JSON into the value that it was made of."""
        return None if value is None else self._decoder.decode(value)
