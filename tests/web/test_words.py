"""Every word of the pages is in every language, and no language has words to spare."""

import re
from pathlib import Path

import pytest

from mes_engine.core.assets import AssetState, LifeUnit
from mes_engine.core.means import DOCUMENT_CONTROL, TOOL_CRIB, TRAINER
from mes_engine.core.window_condition import QUALITY
from mes_engine.web.app import STATIC
from mes_engine.web.rendering import TEMPLATES
from mes_engine.web.words import ENGLISH, languages, translated, words_of
from tests.plant import running_plant

CALL = re.compile(r"""\bt\(\s*(?:"([^"]+)"|'([^']+)')""")
HOLE = re.compile(r"\{\w+\}")
SAID_BY_THE_ENGINE = {
    *(one.value.replace("_", " ") for one in (*LifeUnit, *AssetState)),
    *(TOOL_CRIB, TRAINER, DOCUMENT_CONTROL, QUALITY),
    *("the storekeeper", "maintenance", "the planner", "the operator"),
    *("the work centers upstream", "the operators of these work units"),
    *("good", "scrap", "suspect", "lost", "tested"),
} - {"none", "available"}
OTHERS = sorted(languages().keys() - {ENGLISH})


def said() -> set[str]:
    """Return every text that a template or a script has in the language of its page."""
    sources = [*TEMPLATES.glob("*.html"), *STATIC.glob("*.js")]
    found = (CALL.findall(path.read_text("utf-8")) for path in sources)
    return {double or single for one in found for double, single in one}


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_word_and_no_other(language: str) -> None:
    words = words_of(language)

    assert len(said()) > 100
    assert words.keys() == {"English"} | said() | SAID_BY_THE_ENGINE


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_says_the_same_things(language: str) -> None:
    for text, told in words_of(language).items():
        assert sorted(HOLE.findall(told)) == sorted(HOLE.findall(text)), text


def test_holes_are_filled_in() -> None:
    assert translated("de", "Waiting at {place}", place="S") == "Wartet bei S"
    assert translated("en", "{count} waiting", count=3) == "3 waiting"


async def test_the_language_is_the_chosen_one_else_the_browsers(
    tmp_path: Path,
) -> None:
    async with running_plant(tmp_path) as plant:

        async def shown(**headers: str) -> tuple[str, str]:
            answer = await plant.client.get("/t/saw-1", headers=headers)
            return answer.headers["content-language"], answer.text

        assert (await shown())[0] == "en"
        german = {"accept-language": "fr-CH, de-AT;q=0.9, en;q=0.8"}
        language, page = await shown(**german)
        assert language == "de"
        assert '<html lang="de">' in page
        assert "Hier wartet nichts." in page
        assert (await shown(**german, cookie="mes_language=en"))[0] == "en"
        assert (await shown(**german, cookie="mes_language=../x"))[0] == "de"
