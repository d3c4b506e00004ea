"""The journal's archive: every commit once more, in files that only grow.

With a backup it brings back any moment since: see ``bootstrap.replaying``.
"""
