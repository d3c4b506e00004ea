"""The arithmetic of the chain; nothing here reads or writes anything.

A link closes one commit. Its digest is HMAC-SHA256 (FIPS 198-1) over the digest of the
link before it and over those of the commit's facts, so that none of them can be
changed, left out, put in or moved by anybody who has not the key. The tags, four bytes
of each fact's digest, only tell afterwards which fact it was.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

TAG_CHARS = 8

_ENCODER = msgspec.json.Encoder()


class ChainKey(NamedTuple):
    """What links are made with; the id says which, and nothing of the secret."""

    id: str
    secret: bytes

    @classmethod
    def of(cls, secret: bytes) -> "ChainKey":
        """Return the key that has this secret."""
        return cls(sha256(b"mes journal key id" + secret).hexdigest()[:16], secret)


Keyring = Mapping[str, ChainKey]
"""Keys by their id."""


def keyring(keys: Iterable[ChainKey]) -> Keyring:
    """Return keys by their id."""
    return {one.id: one for one in keys}


UNKEYED = ChainKey("none", b"")
"""For journals that nobody guards: whoever can write them can chain them anew."""
ONLY_UNKEYED = keyring([UNKEYED])


class Head(NamedTuple):
    """Where a chain ends.

    Attributes:
        seq: The last fact of its last commit; 0 before the first.
        digest: In hexadecimal.
        anchors: How often the head had been anchored outside the database by then.
    """

    seq: int
    digest: str
    anchors: int


GENESIS = Head(0, "0" * 64, 0)


class Link(NamedTuple):
    """One commit in the chain, in the order of its table's columns.

    Attributes:
        seq: The last fact of the commit.
        key: The id of the key that it is made with.
        anchors: As in ``Head``.
        digest: In hexadecimal.
        tags: Of each fact of the commit, in order.
    """

    seq: int
    key: str
    anchors: int
    digest: str
    tags: str

    @property
    def first(self) -> int:
        """The first fact of the commit."""
        return self.seq - len(self.tags) // TAG_CHARS + 1

    @property
    def head(self) -> Head:
        """Where the chain ends with it."""
        return Head(self.seq, self.digest, self.anchors)

    def tag(self, seq: int) -> str:
        """Return what is known of one of its facts."""
        begins = (seq - self.first) * TAG_CHARS
        return self.tags[begins : begins + TAG_CHARS]


def encoded_fact(row: Sequence[Any]) -> bytes:
    """Return a row of the journal, in the order of its columns, as its digest has it.

    The body, which comes last, may be a fact, or its JSON as ``msgspec.Raw``: that is
    the same to the letter.
    """
    return _ENCODER.encode(row)


def fact_digest(key: ChainKey, encoded: bytes) -> bytes:
    """Return what an encoded row comes to."""
    return sha256(key.secret + encoded).digest()


def tag_of(digest: bytes) -> str:
    """Return what a link keeps of a fact's digest."""
    return digest.hex()[:TAG_CHARS]


def linked(
    key: ChainKey,
    partition: str,
    before: Head,
    seq: int,
    digests: Sequence[bytes],
    *,
    anchors: int,
) -> Link:
    """Return the link for facts with these digests, of which ``seq`` is the last."""
    digest = link_digest(
        key, partition, before.digest, seq=seq, anchors=anchors, digests=digests
    )
    tags = "".join([tag_of(one) for one in digests])
    return Link(seq, key.id, anchors, digest, tags)


def link_digest(
    key: ChainKey,
    partition: str,
    before: str,
    *,
    seq: int,
    anchors: int,
    digests: Sequence[bytes],
) -> str:
    """Return the digest of a link that follows the one with the digest ``before``."""
    about = (partition, before, seq, len(digests), key.id, anchors)
    said = _ENCODER.encode(about) + b"".join(digests)
    return hmac.digest(key.secret, said, "sha256").hex()
