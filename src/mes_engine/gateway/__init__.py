"""A gateway: a process that runs links, and keeps what they say until it is committed.

It has no part of the engine, and no way to its database: what it hears goes to its own
disk, and from there to the engine, in order, each once in effect.
"""

from mes_engine.gateway.process import GatewayOptions, run_gateway

__all__ = ["GatewayOptions", "run_gateway"]
