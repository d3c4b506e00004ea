"""The engine's own data: the journal, its projections, and reads of both."""
