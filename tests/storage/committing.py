"""A process that commits batches for ever and says after each how far it has come."""

import asyncio
import sys
from decimal import Decimal

from mes_engine.core.messages import ReceiveMaterial
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_site

A_RECEIPT = ReceiveMaterial(
    material="ROD", unit="MTR", quantity=Decimal(3), supplier="Steel Inc"
)


async def commit_for_ever(url: str) -> None:
    """Go on from where the database is, one batch after the other."""
    store = SqlStore(Database.open(url))
    shop = Shop(await store.load())
    if shop.committed.seq == 0:
        a_site(shop)
    while True:
        for _ in range(3):
            shop.do(A_RECEIPT)
        await store.commit(*shop.take())
        print(shop.committed.seq, flush=True)  # noqa: T201 - it is the acknowledgement


if __name__ == "__main__":
    asyncio.run(commit_for_ever(sys.argv[1]))
