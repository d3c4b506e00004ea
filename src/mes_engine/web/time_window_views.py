"""How a time window is shown: between which steps, since when, until when."""

from pydantic import Field

from mes_engine.core.time_windows import WindowPoint, WindowState
from mes_engine.http.fields import At, View


class TimeWindowView(View):
    """A lot between two steps: not before ``opens_at``, not after ``closes_at``.

    Attributes:
        armed_at: When the first piece came; what may pass counts from here.
        last_at: When the last one came; what has to pass counts from here.
        opened_at: When what has to pass had passed; null before.
        settled_at: When its end came; null while it is to come.
        reason: Why it was violated, waived or given up.
    """

    id: str
    work_request: str = Field(validation_alias="request")
    lot: str | None
    source: str = Field(serialization_alias="from")
    target: str = Field(serialization_alias="to")
    pass_number: int
    starts_at: WindowPoint
    ends_at: WindowPoint
    state: WindowState
    armed_at: At
    last_at: At
    opens_at: At | None
    opened_at: At | None
    warns_at: At | None
    closes_at: At | None
    violated_at: At | None
    waived_at: At | None
    waived_by: str
    settled_at: At | None
    reason: str
