"""Bounded modules: each owns its documents, and feeds the engine by intents."""
