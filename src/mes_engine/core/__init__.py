"""The pure part: what a message does to work in progress. No I/O, clock or chance."""
