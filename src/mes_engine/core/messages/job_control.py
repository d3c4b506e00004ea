"""What job control (OPC 10031-4) asks beyond what people ask too."""

from mes_engine.core.messages.work import JobOrderCommand


class ClearJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="clear_job_order"):
    """Serve a job order that is over no longer: its client has read what came of it."""


JobControlCommand = ClearJobOrder
