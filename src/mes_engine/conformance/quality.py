"""How far an adapter has come, as it says itself in ``quality.yaml``.

Four levels, each with the rules of those below. A rule is kept by the tests of
`LinkConformance` and `AdapterConformance` that bear its name, or there is a reason why
it cannot be; nothing else counts.
"""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Level(StrEnum):
    """From one that works to one that is proven against machines of others."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


LEVELS = tuple(Level)

RULES: dict[str, Level] = {
    "documented": Level.BRONZE,
    "tells_the_truth": Level.BRONZE,
    "ends_what_it_began": Level.BRONZE,
    "notices_loss": Level.SILVER,
    "reconnects": Level.SILVER,
    "logs_once_an_outage": Level.SILVER,
    "names_missing_tags": Level.SILVER,
    "waits_for_the_engine": Level.SILVER,
    "writes_and_reads_back": Level.GOLD,
    "tells_gaps": Level.GOLD,
    "survives_the_network": Level.GOLD,
    "has_a_device_to_test_with": Level.GOLD,
    "certified": Level.PLATINUM,
}
"""Each rule, and the level that needs it."""


class Exempt(BaseModel):
    """Why a rule cannot be kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exempt: str = Field(min_length=10)


class Quality(BaseModel):
    """An adapter's ``quality.yaml``.

    Attributes:
        level: What it claims.
        rules: Kept, or why not, by name.
        certified: The devices of other makers that it is tested with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Level
    rules: dict[str, bool | Exempt]
    certified: tuple[str, ...] = ()

    def keeps(self, rule: str) -> bool:
        """Whether it says that it keeps the rule."""
        return self.rules.get(rule) is True

    def lacking(self) -> Iterator[str]:
        """Yield what the claimed level asks for and is not there."""
        for name in self.rules.keys() - RULES.keys():
            yield f"{name}: there is no such rule"
        asked = LEVELS[: LEVELS.index(self.level) + 1]
        for name, level in RULES.items():
            kept = self.rules.get(name)
            if level in asked and kept is not True and not isinstance(kept, Exempt):
                yield f"{name}: {self.level.value} asks for it"
        if self.keeps("certified") and not self.certified:
            yield "certified: name the devices"
