"""The journal's hash chain: what each commit wrote, bound to all that was before it.

``links`` is the arithmetic, ``keys`` the file with what it is made with. ``batches``
appends, and ``verify`` checks.
"""

from mes_engine.storage.chain.keys import read_keys, read_or_make_keys
from mes_engine.storage.chain.links import (
    GENESIS,
    ONLY_UNKEYED,
    UNKEYED,
    ChainKey,
    Head,
    Keyring,
    Link,
    encoded_fact,
    fact_digest,
    keyring,
    link_digest,
    linked,
    tag_of,
)

__all__ = [
    "GENESIS",
    "ONLY_UNKEYED",
    "UNKEYED",
    "ChainKey",
    "Head",
    "Keyring",
    "Link",
    "encoded_fact",
    "fact_digest",
    "keyring",
    "link_digest",
    "linked",
    "read_keys",
    "read_or_make_keys",
    "tag_of",
]
