"""Edges: a level that rises or falls, and lasts long enough to be meant."""

from mes_engine.core.machine_rules import EdgeDirection, EdgeRule

UP, DOWN = "1", "0"


def level_of(value: object) -> str:
    """Return the level that a value is: down for false, 0 and nothing."""
    return UP if value else DOWN


def hold_us(rule: EdgeRule, level: str) -> int:
    """Return how long ``level`` has to last before its edge counts."""
    least = rule.min_high_us if level == UP else 0
    return max(rule.debounce_us, least)


def fires(rule: EdgeRule, level: str) -> bool:
    """Whether coming to ``level`` is the edge that the rule is about."""
    match rule.on:
        case EdgeDirection.RISING:
            return level == UP
        case EdgeDirection.FALLING:
            return level == DOWN
        case EdgeDirection.BOTH:
            return True
