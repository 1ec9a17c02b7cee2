"""The part of YAML in which PyYAML dumps plain lists, numbers and words, one item a line; anything else is refused."""
import re

from torch_file import FileError

LINES_MAX = 1_000_000
DEPTH_MAX = 16
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")


def parse(text):
    """A mapping of words to scalars and nested lists."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > LINES_MAX:
        raise FileError(f"has {len(lines)} lines, expected at most {LINES_MAX}")
    anchors, result, at = {}, {}, 0
    while at < len(lines):
        indent, content = lines[at]
        key, colon, rest = content.partition(":")
        if indent != 0 or not colon or content.startswith("-"):
            raise FileError(f"'{content:.60}': expected a line 'key: value'")
        rest = rest.strip()
        if rest and not (rest.startswith("&") and " " not in rest):
            result[key], at = _scalar(rest, anchors), at + 1
        else:
            result[key], at = _sequence(lines, at + 1, anchors, 1)
            if rest:
                anchors[rest[1:]] = result[key]
    return result


def _sequence(lines, at, anchors, depth):
    """The list whose first item is line `at`, and the line after it."""
    if depth > DEPTH_MAX or at >= len(lines) or not lines[at][1].startswith("-"):
        raise FileError(f"'{lines[at][1] if at < len(lines) else 'the end':.60}': expected a list of plain values")
    indent, items = lines[at][0], []
    while at < len(lines) and lines[at][0] == indent and (lines[at][1] == "-" or lines[at][1].startswith("- ")):
        content = lines[at][1]
        rest = content[1:].lstrip()
        anchor = rest[1:] if rest.startswith("&") and " " not in rest else None
        if not rest or anchor:
            item, at = _sequence(lines, at + 1, anchors, depth + 1)
            if anchor:
                anchors[anchor] = item
        elif rest.startswith("- "):
            lines[at] = (indent + len(content) - len(rest), rest)
            item, at = _sequence(lines, at, anchors, depth + 1)
        else:
            item, at = _scalar(rest, anchors), at + 1
        items.append(item)
    return items, at


def _scalar(text, anchors):
    if text.startswith("*") and text[1:] in anchors:
        return anchors[text[1:]]
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~"):
        return None
    if text in ("[]", "{}"):
        return []
    if NUMBER.match(text):
        return float(text) if re.search("[.eE]", text) else int(text)
    if text[0] in "'\"":
        if len(text) < 2 or text[-1] != text[0] or "\\" in text:
            raise FileError(f"{text:.60}: expected a word in quotes")
        return text[1:-1].replace("''", "'")
    if text[0] in "!&*[{|>%@`":
        raise FileError(f"'{text:.60}': expected plain values only")
    return text
