"""The moving parts: inbox, engine, feed, links, relays, consumers, scheduled work."""
