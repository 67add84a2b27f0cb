"""Whether two SVGs show the same figure, though different versions of matplotlib drew them.

No file keeps its bytes from version to version: letters get other names, lines of text another height, and what stands
beside them moves by a point or so. Compared is what stays: every mark in its order, with its style; the words of every
text; the pixels of every image; and where each of them is, up to a small distance.
"""

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from PIL import Image

MARKS, WORDS = 3, 5  # points that a mark may move, and a text with the box behind it; seen were 2.7 and 3.8
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
REFERENCE = re.compile(r"#[\w-]+")


def differences(svg: str, other: str) -> list[str]:
    """What is not alike, in words; empty if the figures are."""
    ours, theirs = list(drawn(svg)), list(drawn(other))
    if [mark for mark, _, _ in ours] != [mark for mark, _, _ in theirs]:
        changed = [pair for pair in zip(ours, theirs, strict=False) if pair[0][0] != pair[1][0]]
        first = f", the first: {changed[0][0][0]} became {changed[0][1][0]}" if changed else ""
        return [f"{len(ours)} marks became {len(theirs)}{first}"]
    found = []
    for (mark, points, near), (_, others, _) in zip(ours, theirs, strict=True):
        pairs = zip(points, others, strict=True)
        apart = max((abs(a - b) for point, to in pairs for a, b in zip(point, to, strict=True)), default=0)
        if apart > near:
            found.append(f"moved by {apart:.1f} points: {mark[:80]}")
    return found


def drawn(svg: str) -> Iterator[tuple[str, list[tuple], float]]:
    """All that is drawn, in order: what it is, its points, and how far they may move."""
    root = ElementTree.fromstring(svg, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    yield from _inside(root, {element.get("id"): element for element in root.iter() if element.get("id")})


def _inside(element, named, near=MARKS):
    """What an element holds. A comment is the text that the next element draws: its letters are left out."""
    near = WORDS if element.get("id", "").startswith("text_") else near
    text = None
    for child in element:
        if _tag(child) == "comment":
            text = child.text.strip()
        elif text is not None:
            mark, points = _described(child, named)
            yield f"{text!r} {mark}", points, WORDS
            text = None
        elif _tag(child) not in ("defs", "metadata"):
            yield *_described(child, named), near
            yield from _inside(child, named, near)


def _tag(element):
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"


def _described(element, named):
    """What an element is, without names and places, and its points. What it refers to belongs to it."""
    attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items() if key != "id"}
    points = _take_points(attributes)
    if _tag(element) == "image":
        attributes["href"] = _pixels(attributes["href"])
    mark = [_tag(element)]
    for key, value in sorted(attributes.items()):
        for part in (named[name[1:]] for name in REFERENCE.findall(value) if name[1:] in named):
            value = REFERENCE.sub(_shape(part), value)
            points += _take_points(dict(part[0].attrib)) if _tag(part) == "clipPath" else []
        mark.append(f"{key}={value}")
    return " ".join(mark), points


def _take_points(attributes):
    """Takes the places out of the attributes; the points that they say."""
    points = []
    if "d" in attributes:
        points += _pairs(attributes["d"])
        attributes["d"] = " ".join(NUMBER.sub("", attributes["d"]).split())
    if re.match("translate|matrix", attributes.get("transform", "")):
        place, _, attributes["transform"] = attributes["transform"].partition(")")
        points += _pairs(place)
    if {"x", "y"} <= set(attributes):
        x, y, width, height = (float(attributes.pop(name, 0)) for name in ("x", "y", "width", "height"))
        points += [(x, y), (x + width, y + height)]
    return points


def _pairs(text):
    numbers = [float(number) for number in NUMBER.findall(text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _shape(part):
    """The exact shape of a marker or a hatch. A clip is a rectangle, whose place is compared with the marks'."""
    if _tag(part) == "clipPath":
        return "clip"
    attributes = [item for element in part.iter() for item in sorted(element.attrib.items()) if item[0] != "id"]
    return " ".join(f"{key}={' '.join(value.split())}" for key, value in attributes)


def _pixels(address):
    """A short name of an image's size and pixels: other programs pack the same ones into other bytes."""
    image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGBA")
    return f"{image.size} {hashlib.sha256(image.tobytes()).hexdigest()[:8]}"
