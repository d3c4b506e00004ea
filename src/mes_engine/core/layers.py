"""Tables in layers: what one sets lies upon the one below, until it is merged."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Keys = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What a table is: how its values are found, and whether they stay in memory.

    Attributes:
        key: The key of a value.
        indexes: The names of its indexes.
        found_by: For each of the indexes, the keys under which a value is found there.
        placed_by: All that ``found_by`` looks at: while that is the same, so are the
            keys. None if it has to be asked each time.
        is_kept: False for what is only ever written: moves, decisions, edges.
    """

    key: Callable[[Any], Hashable]
    indexes: tuple[str, ...] = ()
    found_by: Callable[[Any], tuple[Keys, ...]] = lambda _: ()
    placed_by: Callable[[Any], object] | None = None
    is_kept: bool = True


_NOTHING = object()


class Attempts:
    """What was there before what was set, while an attempt is under way."""

    def __init__(self) -> None:
        self.under_way = 0
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []

    def note(self, values: dict[Any, Any], key: object) -> None:
        """Remember what ``values`` has under ``key``, which is about to be set."""
        self._before.append((values, key, values.get(key, _NOTHING)))

    def begin(self) -> int:
        """Return a mark to go back to."""
        self.under_way += 1
        return len(self._before)

    def take_back(self, mark: int) -> None:
        """Set everything as it was at ``mark``."""
        while len(self._before) > mark:
            values, key, before = self._before.pop()
            if before is _NOTHING:
                values.pop(key, None)
            else:
                values[key] = before

    def end(self) -> None:
        """End an attempt; what the outermost one set stays set."""
        self.under_way -= 1
        if not self.under_way:
            self._before.clear()


class Table(Generic[K, V]):
    """Values by key, on top of those of the layer below."""

    def __init__(
        self,
        spec: TableSpec,
        below: "Table[K, V] | None" = None,
        attempts: Attempts | None = None,
    ) -> None:
        self.spec = spec
        self.below = below
        self._attempts = attempts or Attempts()
        self.own: dict[K, V | None] = {}
        # By index and key: the members that this layer adds (True) or takes away. At
        # the bottom, where nothing is taken away, a single one stands for itself: most
        # keys have no more than one, and a dictionary is larger than what it finds.
        self.found: dict[str, dict[Hashable, Any]] = {name: {} for name in spec.indexes}
        # Return the value of a key, or None. The bottom's own is all that there is.
        self.get: Callable[[K], V | None] = (
            self._get if below is not None else self.own.get
        )

    def _get(self, key: K) -> V | None:
        layer: Table[K, V] | None = self
        while layer is not None:
            if key in layer.own:
                return layer.own[key]
            layer = layer.below
        return None

    def put(self, value: V) -> None:
        """Set the value under its own key."""
        spec, own = self.spec, self.own
        key: Any = spec.key(value)
        if spec.indexes:
            old, placed_by = self.get(key), spec.placed_by
            if old is None or placed_by is None or placed_by(old) != placed_by(value):
                self._reindex(key, old, value)
        attempts = self._attempts
        if attempts.under_way:
            attempts.note(own, key)
        own[key] = value

    def fill(self, values: Iterable[V]) -> None:
        """Set many values as ``put`` does; at the bottom, and outside of attempts."""
        spec, own = self.spec, self.own
        if not spec.indexes:
            keyed: Any = ((spec.key(value), value) for value in values)
            own.update(keyed)
            return
        found_by, found = spec.found_by, tuple(self.found.values())
        for value in values:
            key: Any = spec.key(value)
            if key in own:
                self.put(value)
                continue
            own[key] = value
            for by_key, keys in zip(found, found_by(value), strict=True):
                for one in keys:
                    there = by_key.setdefault(one, key)
                    if there is not key:
                        _join(by_key, one, there, key)

    def drop(self, key: K) -> None:
        """Forget the value of ``key``: it is no longer live."""
        if self.spec.indexes:
            self._reindex(key, self.get(key), None)
        if self._attempts.under_way:
            self._attempts.note(self.own, key)
        if self.below is None:
            self.own.pop(key, None)
        else:
            self.own[key] = None

    def trim(self, most: int) -> None:
        """Keep the ``most`` newest entries of a table without indexes."""
        while len(self.own) > most:
            del self.own[next(iter(self.own))]

    def find(self, index: str, key: Hashable) -> list[V]:
        """Return the values that ``index`` has under ``key``, oldest entry first."""
        if self.below is None:
            there = self.found[index].get(key, _NOTHING)
            if there is _NOTHING:
                return []
            own: dict[K, Any] = self.own  # The bottom layer drops nothing.
            if type(there) is dict:
                return [own[member] for member in there]
            return [own[there]]
        members = self.members(index, key)
        if not members:
            return []
        get = self.get
        return [value for one in members if (value := get(one)) is not None]

    def has_any(self, index: str) -> bool:
        """Whether ``index`` may have anything at all, under any key."""
        layer: Table[K, V] | None = self
        while layer is not None:
            if layer.found[index]:
                return True
            layer = layer.below
        return False

    def values(self) -> Iterator[V]:
        """Yield every value, this layer's own in place of those below."""
        if self.below is not None:
            for value in self.below.values():
                if self.spec.key(value) not in self.own:
                    yield value
        yield from (value for value in self.own.values() if value is not None)

    def changes(self) -> dict[K, V | None]:
        """Return what this layer sets, by key; None where it drops."""
        return self.own

    def merge(self, *, into_committed: bool) -> None:
        """Put what this layer sets into the one below."""
        below = self.below
        if below is None or not self.own:
            return
        if into_committed and not self.spec.is_kept:
            return
        if below.below is None:
            self._settle_into(below)
            return
        below.own.update(self.own)
        for index, by_key in self.found.items():
            for found_by, members in by_key.items():
                below.found[index].setdefault(found_by, {}).update(members)

    def _settle_into(self, bottom: "Table[K, V]") -> None:
        """Put what this layer sets, and how it is found by then, into the bottom."""
        for key, value in self.own.items():
            if value is None:
                bottom.own.pop(key, None)
            else:
                bottom.own[key] = value
        for index, by_key in self.found.items():
            found = bottom.found[index]
            for found_by, members in by_key.items():
                for member, is_member in members.items():
                    bottom._note(found, found_by, member, is_member=is_member)  # noqa: SLF001 its own kind

    def clear(self) -> None:
        """Forget what this layer sets, so that it can be used for something else."""
        if self.own:
            if self.below is None:
                self.own.clear()
            else:
                self.own = {}
            for by_key in self.found.values():
                by_key.clear()

    def _reindex(self, member: K, old: V | None, new: V | None) -> None:
        nowhere: tuple[Keys, ...] = ((),) * len(self.found)
        were = nowhere if old is None else self.spec.found_by(old)
        are = nowhere if new is None else self.spec.found_by(new)
        if were == are:
            return
        for found, before, after in zip(self.found.values(), were, are, strict=True):
            if before == after:
                continue
            for key in before:
                if key not in after:
                    self._note(found, key, member, is_member=False)
            for key in after:
                if key not in before:
                    self._note(found, key, member, is_member=True)

    def _note(
        self,
        found: dict[Hashable, Any],
        key: Hashable,
        member: K,
        *,
        is_member: bool,
    ) -> None:
        if self.below is not None:
            members = found.setdefault(key, {})
            if self._attempts.under_way:
                self._attempts.note(members, member)
            members[member] = is_member
            return
        there = found.get(key, _NOTHING)
        if self._attempts.under_way:
            self._attempts.note(found, key)
            if type(there) is dict:
                self._attempts.note(there, member)
        if is_member:
            if there is _NOTHING:
                found[key] = member
            else:
                _join(found, key, there, member)
        elif type(there) is not dict:
            if there == member:
                del found[key]
        elif there.pop(member, False) and not there:
            del found[key]

    def members(self, index: str, key: Hashable) -> Mapping[K, bool]:
        """Return the keys that ``index`` has under ``key``; for reading at once."""
        own = self.found[index].get(key, _NOTHING)
        if self.below is None:
            if type(own) is dict:
                return own
            return {} if own is _NOTHING else {own: True}
        below = self.below.members(index, key)
        if own is _NOTHING or not own:
            return below
        members = dict(below)
        for member, is_member in own.items():
            if is_member:
                members[member] = True
            else:
                members.pop(member, None)
        return members


def _join(
    found: dict[Hashable, Any], key: Hashable, there: Any, member: Hashable
) -> None:
    """Add a member to what is found under a key at the bottom."""
    if type(there) is dict:
        there[member] = True
    elif there != member:
        found[key] = {there: True, member: True}
