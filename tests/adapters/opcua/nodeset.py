"""What the specification's NodeSet says, read where it lies: it is not ours to ship."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

UA = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
TYPES = "{http://opcfoundation.org/UA/2008/02/Types.xsd}"
FILE = "opcua_nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml"
ROOT = Path(__file__).parents[3]
DATA = (ROOT / "../shared/data", ROOT.parent / "shared/data")
INVERSE = "false"


@dataclass(frozen=True)
class Said:
    """One node, as the NodeSet has it."""

    id: str
    name: str
    kind: str
    element: ET.Element
    aliases: dict[str, str]

    def resolved(self, text: str | None) -> str:
        """A node id, whether it is written as such or as an alias."""
        return self.aliases.get(text or "", text or "")

    def references(self) -> set[tuple[str, bool, str]]:
        """Type, direction and target of each."""
        return {
            (
                self.resolved(one.get("ReferenceType")),
                one.get("IsForward") != INVERSE,
                (one.text or "").strip(),
            )
            for one in self.element.iter(f"{UA}Reference")
        }


def job_control_nodes() -> dict[str, Said]:
    """Every node of ISA-95 Job Control V2, by its id with the namespace index 1."""
    path = next((one / FILE for one in DATA if (one / FILE).exists()), None)
    if path is None:
        pytest.skip("the NodeSets are not there")
    root = ET.parse(path).getroot()
    aliases = {one.get("Alias", ""): one.text or "" for one in root.iter(f"{UA}Alias")}
    return {
        one.get("NodeId", ""): Said(
            id=one.get("NodeId", ""),
            name=one.get("BrowseName", ""),
            kind=one.tag.removeprefix(UA),
            element=one,
            aliases=aliases,
        )
        for one in root
        if one.get("NodeId")
    }
