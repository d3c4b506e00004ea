"""The engine over HTTP: its commands, its reads, the stream of facts, and the pages."""
