"""The object types of ISA-95 Job Control V2: states, transitions, methods, variables.

Source: OPC 10031-4, section 6.2. Numbers are identifiers in its namespace; of what has
a property, the property's stands beside it.
"""

from dataclasses import dataclass

from asyncua import ua

from mes_adapters.opcua.ids import number_id


@dataclass(frozen=True, slots=True)
class State:
    """A state, the node of its number, and its number."""

    name: str
    id: int
    number_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition between two states of the same type, and the method that causes it.

    Attributes:
        has_effect: Whether it makes an ``ISA95JobOrderStatusEventType``.
    """

    name: str
    id: int
    number_id: int
    number: int
    source: int
    target: int
    cause: int | None = None
    has_effect: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method: its kind is a built-in type or one of the structures."""

    name: str
    kind: str
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method, with the nodes of its arguments."""

    name: str
    id: int
    inputs_id: int
    outputs_id: int
    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    is_optional: bool = True


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable or property that every instance has, if not optional."""

    name: str
    id: int
    kind: str
    is_array: bool = True
    is_property: bool = False
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Substates:
    """A machine of states below one: its object, its current state, and that's id."""

    name: str
    id: int
    current_id: int
    current_value_id: int
    type_id: int
    of: int


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object type of the specification."""

    name: str
    id: int
    base: ua.NodeId | int
    variables: tuple[Variable, ...] = ()
    methods: tuple[Method, ...] = ()
    states: tuple[State, ...] = ()
    transitions: tuple[Transition, ...] = ()
    substates: tuple[Substates, ...] = ()
    generates: int | None = None
    is_abstract: bool = False


RECEIVER, RECEIVER_WITH_SUBSTATES = 1002, 1008
RESPONSE_PROVIDER, RESPONSE_RECEIVER = 1003, 1004
STATUS_EVENT = 1006
PREPARE, ENDED, INTERRUPTED = 1001, 1005, 1007

_STATE_MACHINE = number_id(ua.ObjectIds.FiniteStateMachineType)
_COMMENT = Argument("Comment", "LocalizedText", is_array=True)
_STATUS = Argument("ReturnStatus", "UInt64")
_ID = Argument("JobOrderID", "String")
_ORDER = Argument("JobOrder", "ISA95JobOrderDataType")
_RESPONSE = Argument("JobResponse", "ISA95JobResponseDataType")
_RESPONSES = Argument("JobResponses", "ISA95JobResponseDataType", is_array=True)
_STATES = Argument("JobOrderState", "ISA95StateDataType", is_array=True)

_STORING = {
    "Store": (7001, 6040),
    "StoreAndStart": (7004, 6051),
    "Update": (7009, 6061),
}
_BY_ID = {
    "Start": (7005, 6053),
    "Stop": (7006, 6055),
    "Pause": (7007, 6057),
    "Resume": (7008, 6059),
    "Abort": (7010, 6063),
    "Cancel": (7011, 6065),
    "Clear": (7012, 6067),
    "RevokeStart": (7013, 6069),
}
_METHODS = tuple(
    Method(name, number, inputs, inputs + 1, (first, _COMMENT), (_STATUS,))
    for first, some in ((_ORDER, _STORING), (_ID, _BY_ID))
    for name, (number, inputs) in some.items()
)

_TOP = (
    "NotAllowedToStart",
    "AllowedToStart",
    "Running",
    "Interrupted",
    "Ended",
    "Aborted",
)
_WAYS = (
    # By number: from, to, and the method that causes it.
    ("NotAllowedToStart", "NotAllowedToStart", 7009),
    ("NotAllowedToStart", "AllowedToStart", 7005),
    ("AllowedToStart", "NotAllowedToStart", 7013),
    ("AllowedToStart", "AllowedToStart", 7009),
    ("AllowedToStart", "Running", None),
    ("Running", "Interrupted", 7007),
    ("Running", "Ended", 7006),
    ("Running", "Aborted", 7010),
    ("Interrupted", "Aborted", 7010),
    ("Interrupted", "Running", 7008),
    ("Interrupted", "Ended", 7006),
    ("NotAllowedToStart", "Aborted", 7010),
    ("AllowedToStart", "Aborted", 7010),
)


def _machine(
    first_state: int,
    first_number: int,
    transitions: tuple[tuple[int, int], ...],
) -> tuple[tuple[State, ...], tuple[Transition, ...]]:
    """Return the top states and transitions, which two types have alike."""
    states = tuple(
        State(name, first_state + n, first_number + n, n + 1)
        for n, name in enumerate(_TOP)
    )
    ids = {one.name: one.id for one in states}
    ways = tuple(
        Transition(
            name=f"From{source}To{target}",
            id=number,
            number_id=number_id,
            number=n + 1,
            source=ids[source],
            target=ids[target],
            cause=cause,
            has_effect=True,
        )
        for n, ((source, target, cause), (number, number_id)) in enumerate(
            zip(_WAYS, transitions, strict=True)
        )
    )
    return states, ways


_STATES_OF_RECEIVER, _WAYS_OF_RECEIVER = _machine(
    5035,
    6071,
    (*((5041 + n, 6077 + n) for n in range(11)), (5084, 6009), (5085, 6010)),
)
_STATES_BELOW, _WAYS_BELOW = _machine(
    5063,
    6100,
    (*((5069 + n, 6106 + n) for n in range(11)), (5087, 6012), (5086, 6011)),
)

OBJECT_TYPES = (
    ObjectType(
        "ISA95PrepareStateMachineType",
        PREPARE,
        _STATE_MACHINE,
        states=(
            State("Waiting", 5000, 6000, 1),
            State("Ready", 5052, 6089, 2),
            State("Loaded", 5053, 6090, 3),
        ),
        transitions=(
            Transition("FromWaitingToReady", 5054, 6091, 1, 5000, 5052),
            Transition("FromReadyToLoaded", 5055, 6092, 2, 5052, 5053),
            Transition("FromReadyToWaiting", 5088, 6013, 3, 5052, 5000),
            Transition("FromLoadedToReady", 5089, 6014, 4, 5053, 5052),
            Transition("FromLoadedToWaiting", 5090, 6015, 5, 5053, 5000),
        ),
    ),
    ObjectType(
        "ISA95EndedStateMachineType",
        ENDED,
        _STATE_MACHINE,
        states=(
            State("Completed", 5056, 6093, 1),
            State("Closed", 5057, 6094, 2),
        ),
        transitions=(Transition("FromCompletedToClosed", 5058, 6095, 1, 5056, 5057),),
    ),
    ObjectType(
        "ISA95InterruptedStateMachineType",
        INTERRUPTED,
        _STATE_MACHINE,
        states=(State("Held", 5059, 6096, 1), State("Suspended", 5060, 6097, 2)),
        transitions=(
            Transition("FromHeldToSuspended", 5061, 6098, 1, 5059, 5060),
            Transition("FromSuspendedToHeld", 5062, 6099, 2, 5060, 5059),
        ),
    ),
    ObjectType(
        "ISA95JobOrderStatusEventType",
        STATUS_EVENT,
        number_id(ua.ObjectIds.BaseEventType),
        variables=(
            Variable("JobOrder", 6047, "ISA95JobOrderDataType", False, True),  # noqa: FBT003
            Variable("JobState", 6048, "ISA95StateDataType", is_property=True),
            Variable("JobResponse", 6049, "ISA95JobResponseDataType", False, True),  # noqa: FBT003
        ),
        is_abstract=True,
    ),
    ObjectType(
        "ISA95JobOrderReceiverObjectType",
        RECEIVER,
        _STATE_MACHINE,
        variables=(
            Variable("JobOrderList", 6033, "ISA95JobOrderAndStateDataType"),
            Variable("WorkMaster", 6034, "ISA95WorkMasterDataType"),
            Variable("MaterialClassID", 6035, "String"),
            Variable("MaterialDefinitionID", 6036, "String"),
            Variable("EquipmentID", 6037, "String"),
            Variable("PhysicalAssetID", 6038, "String"),
            Variable("PersonnelID", 6039, "String"),
            Variable(
                "MaxDownloadableJobOrders",
                6088,
                "UInt16",
                is_array=False,
                is_property=True,
            ),
        ),
        methods=_METHODS,
        states=_STATES_OF_RECEIVER,
        transitions=_WAYS_OF_RECEIVER,
    ),
    ObjectType(
        "ISA95JobOrderReceiverSubStatesType",
        RECEIVER_WITH_SUBSTATES,
        RECEIVER,
        states=_STATES_BELOW,
        transitions=_WAYS_BELOW,
        substates=(
            Substates("NotAllowedToStartSubstates", 5080, 6001, 6002, PREPARE, 5063),
            Substates("AllowedToStartSubstates", 5081, 6003, 6004, PREPARE, 5064),
            Substates("EndedSubstates", 5082, 6005, 6006, ENDED, 5067),
            Substates("InterruptedSubstates", 5083, 6007, 6008, INTERRUPTED, 5066),
        ),
    ),
    ObjectType(
        "ISA95JobResponseProviderObjectType",
        RESPONSE_PROVIDER,
        number_id(ua.ObjectIds.BaseObjectType),
        variables=(
            Variable(
                "JobOrderResponseList",
                6050,
                "ISA95JobResponseDataType",
                is_optional=True,
            ),
        ),
        methods=(
            Method(
                "RequestJobResponseByJobOrderID",
                7002,
                6042,
                6043,
                (_ID,),
                (_RESPONSE, _STATUS),
                is_optional=False,
            ),
            Method(
                "RequestJobResponseByJobOrderState",
                7014,
                6016,
                6017,
                (_STATES,),
                (_RESPONSES, _STATUS),
                is_optional=False,
            ),
        ),
        generates=STATUS_EVENT,
    ),
    ObjectType(
        "ISA95JobResponseReceiverObjectType",
        RESPONSE_RECEIVER,
        number_id(ua.ObjectIds.BaseObjectType),
        methods=(
            Method(
                "ReceiveJobResponse",
                7003,
                6044,
                6045,
                (_RESPONSE,),
                (_STATUS,),
                is_optional=False,
            ),
        ),
    ),
)
