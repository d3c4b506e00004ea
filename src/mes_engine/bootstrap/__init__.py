"""Put the parts together: the one place that knows every concrete class."""

from mes_engine.bootstrap.core import Core, running_engine, wall_clock
from mes_engine.bootstrap.site import run_site

__all__ = ["Core", "run_site", "running_engine", "wall_clock"]
