"""Hardened XML: the one place where bytes from outside become a tree.

No DOCTYPE, so no entities of any kind; no network, no external file, no XInclude; depth, text and size are bounded.
"""

from __future__ import annotations

import re

from lxml import etree

from bpmn import unreadable
from bpmn.errors import DocumentError, Finding

#: Largest document, in bytes.  The largest matter is about 300 kB.
LIMIT = 5_000_000

#: Attributes of one element; looking at each of very many takes quadratic time.
ATTRIBUTES = 200
OVERLOADED = etree.XPath(f"//*[count(@*) > {ATTRIBUTES}]")

#: Where a DOCTYPE begins, in whatever encoding diagrams are saved: one byte for a letter, or two.
DOCTYPE = re.compile(rb"<\0?!\0?D\0?O\0?C\0?T\0?Y\0?P\0?E")


def parse(content: bytes, resource: str) -> etree._Element:
    """Return the root element; raises DocumentError with line and column when there is none to be had."""
    if len(content) > LIMIT:
        raise _refusal("too-large", resource, f"Expected {resource} to have at most {LIMIT:,} bytes, but it has {len(content):,}")

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _syntax(error, content, resource) from error

    if root.getroottree().docinfo.internalDTD is not None:
        message = f"Expected {resource} to have no DOCTYPE, but it has one: remove it, a diagram needs none"
        raise _refusal("doctype", resource, message, DOCTYPE.split(content)[0].count(b"\n") + 1)
    if OVERLOADED(root):
        overloaded = next(node for node in root.iter() if len(node.attrib) > ATTRIBUTES)
        message = f"Expected an element of {resource} to have at most {ATTRIBUTES} attributes, but one has more"
        raise _refusal("not-xml", resource, message, getattr(overloaded, "sourceline", None) or 1)
    return root


def _syntax(error: etree.XMLSyntaxError, content: bytes, resource: str) -> DocumentError:
    at, column = error.position
    what, advice, line = unreadable.describe(content, (error.msg or "").split(", line ")[0], at)
    place = f"line {line}, column {column}" if line == at else f"line {line}"
    message = f"Expected to read {resource} as XML, but {what} ({place}): {advice}"
    return _refusal("not-xml", resource, message, line, column if line == at else 0)


def _refusal(rule: str, resource: str, message: str, line: int = 1, column: int = 0) -> DocumentError:
    return DocumentError([Finding(severity="error", rule=rule, message=message, line=line, column=column, resource=resource)])


def text(content: bytes, resource: str) -> str:
    """Give a document as text, whatever its encoding is; raises DocumentError as `parse` does."""
    return etree.tostring(parse(content, resource), encoding="unicode")
