"""Node ids and browse names, from plain numbers and texts."""

from asyncua import ua


def number_id(number: int, index: int = 0) -> ua.NodeId:
    """Return ``ns=<index>;i=<number>``; without an index, of OPC UA itself."""
    return ua.NodeId(ua.Int32(number), ua.Int16(index))


def text_id(text: str, index: int) -> ua.NodeId:
    """Return ``ns=<index>;s=<text>``."""
    return ua.NodeId(ua.String(text), ua.Int16(index))


def browse_name(text: str, index: int = 0) -> ua.QualifiedName:
    """Return ``<index>:<text>``."""
    return ua.QualifiedName(text, ua.UInt16(index))
