"""A client of the library, with our name and without its own ways of reconnecting."""

import logging

from asyncua import Client

from mes_adapters.opcua.settings import OpcUaSettings

APPLICATION_URI = "urn:mes-engine:opcua"


def new_client(settings: OpcUaSettings) -> Client:
    """Return a fresh client, which does nothing by itself."""
    # It logs tracebacks at each outage, of which we tell in our own words.
    if logging.getLogger("asyncua").level == logging.NOTSET:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    client = Client(
        settings.url,
        timeout=settings.request_timeout_s,
        # Ours is the silence; theirs calls a PLC lost that pauses for a second.
        watchdog_intervall=2 * settings.silence_s(),
    )
    client.name = client.description = "MES engine"
    client.application_uri = APPLICATION_URI
    client.session_timeout = round(settings.session_timeout_s * 1000)
    return client
