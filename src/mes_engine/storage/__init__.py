"""The engine's own data in SQLite: the journal, its projections, and reads of both."""
