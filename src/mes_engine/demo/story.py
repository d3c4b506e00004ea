"""The demo's business: parts are released, material comes in, customers order."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from mes_engine.demo.client import Api

CUSTOMERS = {"ACME": "Acme Conveyors", "BOLT": "Bolt & Sons", "CIRC": "Circle Pumps"}
SUPPLIERS = {"STEELCO": "Steel Company", "CASTIT": "Cast It Foundry"}
SOURCES = {
    "STEEL-2MM": ("STEELCO", "KGM", "Steel sheet 2 mm", "400"),
    "CASTING-20": ("CASTIT", "C62", "Housing casting", "600"),
    "ROUND-BAR-30": ("STEELCO", "MTR", "Round bar 30 mm", "300"),
}
LEAST, MOST = 4, 14
PATIENCE_S = 20.0


async def set_the_stage(api: Api, routings: Path) -> None:
    """Release every routing through PLM and receive its material through SCM."""
    for path in sorted(routings.glob("*.yaml")):
        if path.name.endswith(".example.yaml"):
            continue
        body = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506
        name = f"/plm/routings/{body['id']}/revisions/{body['revision']}"
        await api.put(name, body)
        await api.post(f"{name}/release")
    for supplier, name in SUPPLIERS.items():
        await api.put(f"/scm/suppliers/{supplier}", {"name": name})
    for material, (supplier, unit, name, quantity) in SOURCES.items():
        await api.put(f"/scm/materials/{material}", {"unit": unit, "name": name})
        await api.put(
            f"/scm/receipts/RC-{material}",
            {
                "supplier": supplier,
                "material": material,
                "quantity": quantity,
                "supplier_lot": f"HEAT-{material}",
            },
        )
    for customer, name in CUSTOMERS.items():
        await api.put(f"/crm/customers/{customer}", {"name": name})


async def makeable(api: Api) -> list[dict[str, Any]]:
    """Return what CRM can sell, once it has heard of every routing."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: list[dict[str, Any]] = await api.get("/crm/makeable")
            if len(found) >= len(SOURCES):
                return sorted(found, key=lambda one: str(one["material"]))
            await asyncio.sleep(0.1)


async def enter_order(api: Api, number: int, rng: random.Random) -> str:
    """Take a customer's order and confirm it."""
    name = f"SO-{1000 + number}"
    materials = await makeable(api)
    material = materials[number % len(materials)]["material"]
    due = datetime.now(UTC) + timedelta(hours=rng.randint(4, 72))
    line = {
        "line": 1,
        "material": material,
        "quantity": str(rng.randint(LEAST, MOST)),
        "promised_at": due.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "priority": rng.randint(0, 9),
    }
    customer = rng.choice(sorted(CUSTOMERS))
    await api.put(f"/crm/sales-orders/{name}", {"customer": customer, "lines": [line]})
    await api.post(f"/crm/sales-orders/{name}/confirm")
    return name
