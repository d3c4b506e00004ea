"""What job control (OPC 10031-4) asks and tells beyond what people do too."""

from mes_engine.core.machine_jobs import JobVerb
from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.messages.work import JobOrderCommand


class ClearJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="clear_job_order"):
    """Serve a job order that is over no longer: its client has read what came of it."""


class RecordMachineJob(
    BaseCommand, frozen=True, kw_only=True, tag="record_machine_job"
):
    """Keep what a machine that serves job orders is asked, or has answered.

    Attributes:
        link: Over which it was asked.
        status: The specification's bits; 0 if it gave no answer; None if it is about
            to be asked.
        problem: Why it refused.
        sent: What tells the job order that it was sent from another.
    """

    job_order: str
    link: str
    verb: JobVerb
    status: int | None
    problem: str = ""
    sent: str = ""


JobControlCommand = ClearJobOrder | RecordMachineJob
