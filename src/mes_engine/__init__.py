"""The MES engine: work in progress as the machines and people report it."""

__version__ = "0.1.0"
