"""YAML with positions: plain data, and where in the file each key and value stands.

Scalars stay the text that was written, so that ``0123``, ``no`` and ``12:30`` mean what
they say; the models convert. YAML's traps (anchors, aliases, merge keys, tags, repeated
keys, several documents) are problems and not features.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mes_engine.settings.problems import Position, Problem, Problems

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24

KeyPath = tuple[str | int, ...]

_VARIABLE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{"
)
_START = Position(1, 1)


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read.

    Attributes:
        data: Mappings, lists and strings; an empty mapping for an unusable file.
        keys: Where the key of a path stands; none for items of a list.
        values: Where the value of a path begins.
        hidden: Paths whose value came from the environment and is not repeated.
    """

    file: str
    data: Any
    keys: Mapping[KeyPath, Position] = field(default_factory=dict)
    values: Mapping[KeyPath, Position] = field(default_factory=dict)
    hidden: frozenset[KeyPath] = frozenset()

    def at(self, path: KeyPath) -> Any:
        """Return the value at ``path``; None where there is none."""
        value = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def existing(self, path: KeyPath) -> KeyPath:
        """Return as much of ``path`` as the file really has."""
        while path not in self.values:
            path = path[:-1]
        return path

    def position(self, path: KeyPath, *, of_key: bool = False) -> Position:
        """Say where ``path`` stands; where it is not in the file, its parent.

        A mapping or list is found by its key, a scalar by its value.
        """
        here = self.existing(path)
        is_scalar = isinstance(self.at(here), str)
        if here in self.keys and (of_key or not is_scalar):
            return self.keys[here]
        return self.values[here]

    def problem(self, path: KeyPath, text: str, *, of_key: bool = False) -> Problem:
        """Make a problem out of what is wrong at ``path``."""
        key = ".".join(str(part) for part in path)
        return Problem(self.file, self.position(path, of_key=of_key), key, text)


def read_document(
    path: Path, problems: Problems, *, environment: Mapping[str, str] | None = None
) -> Document | None:
    """Read a YAML file, adding to ``problems`` what is wrong with its form.

    Args:
        path: The file; its problems name it as given here.
        problems: Takes what is found.
        environment: What ``${NAME}`` and ``${NAME:-default}`` in values stand for; None
            leaves them as they are.

    Returns:
        The document, or None if it cannot be used at all.
    """
    file = str(path)
    try:
        text = _text(path)
        loader = _Loader(text)
        node = loader.get_single_node()
    except _Unreadable as error:
        problems.add(Problem(file, error.position, "", error.text))
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        where = _START if mark is None else Position(mark.line + 1, mark.column + 1)
        problems.add(Problem(file, where, "", f"not YAML: {what}"))
        return None
    if node is None:
        problems.add(Problem(file, _START, "", "the file is empty"))
        return None
    if not isinstance(node, yaml.MappingNode):
        problems.add(Problem(file, _START, "", "should be a mapping of keys"))
        return None
    return _Builder(file, problems, environment).build(node)


def names_in(path: Path) -> frozenset[str]:
    """Return the variables of the environment that a file names."""
    found = _VARIABLE.finditer(path.read_text(encoding="utf-8"))
    return frozenset(one["name"] for one in found if one["name"])


class _Unreadable(Exception):
    def __init__(self, text: str, position: Position = _START) -> None:
        super().__init__(text)
        self.text = text
        self.position = position


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        example = f"{path.stem}.example.yaml"
        raise _Unreadable(f"no such file; start from '{example}'") from None
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise _Unreadable(f"larger than {MAX_BYTES // 1024} KiB")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8")) + 1
        raise _Unreadable("not UTF-8", Position(line, column)) from None
    strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if strange:
        before_it = text[: strange.start()]
        line = before_it.count("\n") + 1
        column = len(before_it) - (before_it.rfind("\n") + 1) + 1
        raise _Unreadable(
            f"the character U+{ord(strange[0]):04X} is not allowed",
            Position(line, column),
        )
    return text


class _Loader(yaml.BaseLoader):
    """PyYAML's composer of text-only nodes, without its cleverness."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def get_single_node(self) -> yaml.Node | None:
        try:
            return super().get_single_node()
        except (ValueError, OverflowError):  # an escape past Unicode: "\UFFFFFFFF"
            where = Position(self.line + 1, self.column + 1)
            raise _Unreadable("not YAML: no such character", where) from None

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        where = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.AliasEvent):
            raise _Unreadable(f"alias '*{event.anchor}': write the value out", where)
        if event.anchor is not None:
            raise _Unreadable(f"anchor '&{event.anchor}': write values out", where)
        if event.tag is not None:
            raise _Unreadable(f"tag '{event.tag}': leave it out", where)
        if self._depth == MAX_DEPTH:
            raise _Unreadable(f"nested deeper than {MAX_DEPTH} levels", where)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Builder:
    """Turns nodes into data, remembering where everything was."""

    def __init__(
        self, file: str, problems: Problems, environment: Mapping[str, str] | None
    ) -> None:
        self._file = file
        self._problems = problems
        self._environment = environment
        self._keys: dict[KeyPath, Position] = {}
        self._values: dict[KeyPath, Position] = {}
        self._hidden: set[KeyPath] = set()

    def build(self, node: yaml.Node) -> Document:
        data = self._value(node, ())
        return Document(
            self._file, data, self._keys, self._values, frozenset(self._hidden)
        )

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._values[path] = _position(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            where = _position(key_node)
            if not isinstance(key, str):
                self._add(path, where, "a key should be one word")
            elif key == "<<":
                self._add(path, where, "merge key '<<': write the keys out")
            elif key in data:
                first = self._keys[*path, key].line
                self._add((*path, key), where, f"given twice, first in line {first}")
            else:
                self._keys[*path, key] = where
                self._refuse_controls(key, (*path, key), where)
                data[key] = self._value(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.Node, path: KeyPath) -> str:
        text = str(node.value)
        if self._environment is not None and "${" in text:
            text = self._filled(text, path, self._environment)
        self._refuse_controls(text, path, _position(node))
        return text

    def _refuse_controls(self, text: str, path: KeyPath, where: Position) -> None:
        for one in text:
            if unicodedata.category(one) in {"Cc", "Cs"} and one != "\n":
                self._add(path, where, f"holds the character U+{ord(one):04X}")

    def _filled(self, text: str, path: KeyPath, environment: Mapping[str, str]) -> str:
        unset: list[str] = []

        def value_of(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            name, default = match["name"], match["default"]
            if name is None:
                self._add(path, self._values[path], "write ${NAME}, or $${ for '${'")
                return ""
            value = environment.get(name, "")
            if value:
                self._hidden.add(path)
            elif default is None:
                unset.append(name)
            return value or default or ""

        filled = _VARIABLE.sub(value_of, text)
        if unset:
            names = " and ".join(dict.fromkeys(unset))
            text = f"not set in the environment: {names}"
            self._add(path, self._values[path], text)
        return filled

    def _add(self, path: KeyPath, where: Position, text: str) -> None:
        key = ".".join(str(part) for part in path)
        self._problems.add(Problem(self._file, where, key, text))


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
