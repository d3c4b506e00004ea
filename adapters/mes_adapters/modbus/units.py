"""How a unit is getting on: one that does not answer must not slow the others."""

from mes_adapters.modbus.settings import UnitSettings


class Unit:
    """One unit's breaker and pace. Times are by the loop's clock.

    After some failures in a row the unit is down, and only probed now and then; the
    first answer puts it up again.
    """

    def __init__(self, settings: UnitSettings) -> None:
        self.is_down = False
        self.failures = 0
        self._settings = settings
        self._free_at = 0.0

    @property
    def free_at(self) -> float:
        """When it may be asked."""
        return self._free_at

    def answered(self, now: float) -> bool:
        """Note an answer; return whether the unit was down before."""
        was_down = self.is_down
        self.is_down, self.failures = False, 0
        self._free_at = now + self._settings.pause_s
        return was_down

    def failed(self, now: float) -> bool:
        """Note that it did not answer; return whether the unit is down just now."""
        breaker = self._settings.breaker
        self.failures += 1
        was_down = self.is_down
        self.is_down = self.failures >= breaker.after
        self._free_at = now + (breaker.probe_s if self.is_down else 0)
        return self.is_down and not was_down

    def retried(self) -> None:
        """Begin another connection: the unit is asked at once, and once."""
        self._free_at = 0.0
        if self.is_down:
            self.failures = self._settings.breaker.after - 1
