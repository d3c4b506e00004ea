"""The data types of ISA-95 Job Control V2, and what its methods answer.

Source: OPC 10031-4, sections 7.3 (data types) and B.2 (return status). The numbers are
the identifiers of the nodes in the specification's namespace.
"""

from collections.abc import Mapping
from enum import IntFlag
from typing import Any

from asyncua import ua

from mes_adapters.opcua.structures import Structure, fields_of

NAMESPACE = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"

_RESOURCE = "Quantity?:String EngineeringUnits?:EUInformation"
_PROPERTIES = f"{_RESOURCE} Properties?:ISA95PropertyDataType[]"
_ABOUT = "Description?:LocalizedText[]"


def _kinds(means: str) -> str:
    """Return the resources of an order (requirements) or of a response (actuals)."""
    kinds = ("Personnel", "Equipment", "PhysicalAsset", "Material")
    return " ".join(f"{one}{means}?:ISA95{one}DataType[]" for one in kinds)


_TYPES = {
    ("ISA95PropertyDataType", 3002, 5002): (
        f"ID:String Value:BaseDataType {_ABOUT} EngineeringUnits?:EUInformation "
        "Subproperties?:ISA95PropertyDataType[]"
    ),
    ("ISA95ParameterDataType", 3003, 5005): (
        f"ID:String Value:BaseDataType {_ABOUT} EngineeringUnits?:EUInformation "
        "Subparameters?:ISA95ParameterDataType[]"
    ),
    ("ISA95EquipmentDataType", 3005, 5008): (
        f"ID:String {_ABOUT} EquipmentUse?:String {_PROPERTIES}"
    ),
    ("ISA95StateDataType", 3006, 5029): (
        "BrowsePath:RelativePath StateText:LocalizedText StateNumber:UInt32"
    ),
    ("ISA95WorkMasterDataType", 3007, 5011): (
        "ID:String Description?:LocalizedText Parameters?:ISA95ParameterDataType[]"
    ),
    ("ISA95JobOrderDataType", 3008, 5014): (
        f"JobOrderID:String {_ABOUT} WorkMasterID?:ISA95WorkMasterDataType[] "
        "StartTime?:DateTime EndTime?:DateTime Priority?:Int16 "
        f"JobOrderParameters?:ISA95ParameterDataType[] {_kinds('Requirements')}"
    ),
    ("ISA95MaterialDataType", 3010, 5017): (
        "MaterialClassID?:String MaterialDefinitionID?:String MaterialLotID?:String "
        f"MaterialSublotID?:String {_ABOUT} MaterialUse?:String {_PROPERTIES}"
    ),
    ("ISA95PersonnelDataType", 3011, 5020): (
        f"ID:String {_ABOUT} PersonnelUse?:String {_PROPERTIES}"
    ),
    ("ISA95PhysicalAssetDataType", 3012, 5023): (
        f"ID:String {_ABOUT} PhysicalAssetUse?:String {_PROPERTIES}"
    ),
    ("ISA95JobResponseDataType", 3013, 5026): (
        "JobResponseID:String Description?:LocalizedText JobOrderID:String "
        "StartTime?:DateTime EndTime?:DateTime JobState:ISA95StateDataType[] "
        f"JobResponseData?:ISA95ParameterDataType[] {_kinds('Actuals')}"
    ),
    ("ISA95JobOrderAndStateDataType", 3015, 5032): (
        "JobOrder:ISA95JobOrderDataType State:ISA95StateDataType[]"
    ),
}

STRUCTURES: Mapping[str, Structure] = {
    name: Structure(name, type_id, encoding_id, fields_of(text))
    for (name, type_id, encoding_id), text in _TYPES.items()
}

JOB_ORDER = "ISA95JobOrderDataType"
JOB_ORDER_AND_STATE = "ISA95JobOrderAndStateDataType"
JOB_RESPONSE = "ISA95JobResponseDataType"
STATE = "ISA95StateDataType"
WORK_MASTER = "ISA95WorkMasterDataType"

DECIMAL_STRINGS = frozenset({"Quantity"})
"""Fields that are texts of decimal numbers (``DecimalString``)."""


class ReturnStatus(IntFlag):
    """What a method of the specification answers; more than one bit may be set."""

    NO_ERROR = 1 << 0
    UNKNOWN_JOB_ORDER_ID = 1 << 1
    INVALID_JOB_ORDER_STATUS = 1 << 3
    UNABLE_TO_ACCEPT = 1 << 4
    INVALID_REQUEST = 1 << 32


_TOLD = {
    ReturnStatus.UNKNOWN_JOB_ORDER_ID: "it does not know the job order",
    ReturnStatus.INVALID_JOB_ORDER_STATUS: "not in the state that the job order is in",
    ReturnStatus.UNABLE_TO_ACCEPT: "it cannot accept the job order",
    ReturnStatus.INVALID_REQUEST: "it finds the request invalid",
}


def told(status: int) -> str:
    """Return a status in words, with the bits that the specification does not name."""
    words = [text for bit, text in _TOLD.items() if status & bit]
    strange = status & ~sum((*_TOLD, ReturnStatus.NO_ERROR))
    words += [f"bit {bit}" for bit in range(64) if strange >> bit & 1]
    return "; ".join(words) or ("no error" if status else "no status")


UNITS_URI = "http://www.opcfoundation.org/UA/units/un/cefact"


def engineering_units(code: str) -> ua.EUInformation:
    """Return a UN/CEFACT Rec 20 code as OPC 10000-8 writes it."""
    number = int.from_bytes(code.encode("ascii", "replace")[:4], "big")
    return ua.EUInformation(
        NamespaceUri=UNITS_URI,
        UnitId=ua.Int32(number),
        DisplayName=ua.LocalizedText(code),
        Description=ua.LocalizedText(code),
    )


def parameter(name: str, value: ua.Variant, unit: str = "") -> dict[str, Any]:
    """Return an ``ISA95ParameterDataType``."""
    found: dict[str, Any] = {"ID": name, "Value": value}
    if unit:
        found["EngineeringUnits"] = engineering_units(unit)
    return found
