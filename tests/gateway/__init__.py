"""The gateway's parts, each by itself and with the engine's real intake."""
