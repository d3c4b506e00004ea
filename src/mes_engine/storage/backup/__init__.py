"""Backups: a database as it was at one moment, in a file with a manifest beside it."""
