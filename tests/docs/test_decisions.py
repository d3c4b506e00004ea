import re
import tomllib
from itertools import chain
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DECISIONS = REPOSITORY / "docs/decisions"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *chain(*project["project"]["optional-dependencies"].values()),
    ]
    names = {re.match(r"[\w-]+", one)[0] for one in wanted}  # type: ignore[index]
    page = (DECISIONS / "0005-dependencies.md").read_text("utf-8")
    explained = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE))

    assert explained - {"package"} == names


def test_every_decision_is_in_the_index_with_its_date() -> None:
    index = (DECISIONS / "README.md").read_text("utf-8")
    pages = sorted(path for path in DECISIONS.glob("0*.md"))
    assert [page.name[:4] for page in pages] == [
        f"{number:04}" for number in range(1, len(pages) + 1)
    ]
    for page in pages:
        date = re.search(
            r"^(\d{4}-\d\d-\d\d), accepted$", page.read_text(), re.MULTILINE
        )
        assert date is not None, page.name
        assert f"]({page.name}) | {date[1]} |" in index
