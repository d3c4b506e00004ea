"""What is measured of an engine at work, as Prometheus and people read it."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.scenarios.shop import Shop
from tests.scenarios.site import Site, until

OBSERVABILITY = Path(__file__).parents[2] / "docs" / "observability"
NAME = re.compile(r"\b(?:mes|process)_[a-z_]+\b")


def scraped(site: Site) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, by its name and labels."""
    answer = httpx.get(f"{site.url}/metrics", trust_env=False)
    assert answer.status_code == 200
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def value(site: Site, name: str, **labels: str) -> float:
    return scraped(site).get((name, frozenset(labels.items())), 0.0)


def test_what_becomes_of_commands_is_counted(site: Site, shop: Shop) -> None:
    before = scraped(site)
    job = shop.make(shop.routing("cut"), quantity=2)
    refused = site.post(f"/job-orders/{job.id}/complete")
    assert refused.status_code == 409
    after = scraped(site)

    def more(name: str, **labels: str) -> float:
        key = (name, frozenset(labels.items()))
        return after.get(key, 0.0) - before.get(key, 0.0)

    assert more("mes_commands_total", outcome="accepted") >= 2
    assert more("mes_commands_total", outcome="refused") == 1
    assert more("mes_commits_total") == more("mes_commit_seconds_count") > 0
    assert more("mes_batch_messages_sum") == more("mes_messages_total")
    assert more("mes_facts_total") == more("mes_journal_seq") > 0
    route = "/job-orders/{job_order}/complete"
    timed = {"method": "POST", "route": route, "status": "409"}
    assert more("mes_http_request_seconds_count", **timed) == 1
    assert after["mes_is_accepting", frozenset()] == 1


def test_what_the_ledger_does_not_take_is_told_until_a_person_waives_it(
    site: Site, shop: Shop
) -> None:
    def parked() -> float:
        return value(site, "mes_postings", state="parked")

    before = parked()
    job = shop.make(shop.routing("cut"), quantity=2, is_booked=False)
    job.done("load", work_unit="cut-1")
    job.done("begin")
    job.done("report", good=2)
    job.done("complete")
    until(lambda: parked() == before + 1)
    assert value(site, "mes_postings_oldest_seconds") > 0

    (posting,) = site.items("/postings", work_request=job.request, state="parked")
    site.done(f"/postings/{posting['key']}/waive", reason="by hand")
    assert parked() == before


def test_the_loop_and_the_process_are_watched(site: Site) -> None:
    until(lambda: value(site, "mes_loop_lag_seconds_count") > 0)
    assert value(site, "process_resident_memory_bytes") > 0
    assert value(site, "process_open_fds") > 0


@pytest.mark.parametrize("given", ["", "R-1.a_b", "no good", "x" * 65])
def test_each_answer_has_the_id_by_which_the_log_speaks_of_it(
    site: Site, given: str
) -> None:
    headers = {"X-Request-Id": given} if given else {}
    answer = httpx.get(f"{site.url}/readyz", headers=headers, trust_env=False)
    told = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", told)
    assert (told == given) == (given == "R-1.a_b")


def expressions() -> list[tuple[str, str]]:
    """Every expression of the dashboard and of the alert rules, with its title."""
    board: dict[str, Any] = json.loads(
        (OBSERVABILITY / "grafana-dashboard.json").read_text()
    )
    rules: dict[str, Any] = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())
    found = [
        (panel["title"], target["expr"])
        for panel in board["panels"]
        for target in panel["targets"]
    ]
    found += [
        (rule["alert"], rule["expr"])
        for group in rules["groups"]
        for rule in group["rules"]
    ]
    return found


def test_the_dashboard_and_the_alerts_ask_for_what_there_is(site: Site) -> None:
    site.get("/work-units")  # so that a request has been timed
    text = httpx.get(f"{site.url}/metrics", trust_env=False).text
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    ends = ("", "_bucket", "_count", "_sum", "_total")
    known = {f"{name}{end}" for name in names for end in ends}

    assert len(expressions()) > 20
    asked = {name for _, said in expressions() for name in NAME.findall(said)}
    assert asked - known == set()


def test_every_alert_is_explained() -> None:
    page = (OBSERVABILITY / "README.md").read_text()
    alerts = [
        title
        for title, _ in expressions()
        if title.startswith("Mes") and " " not in title
    ]
    assert [one for one in alerts if one not in page] == []
