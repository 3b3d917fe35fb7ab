"""Documents as runs of glue and leaves, so that an input and its output can be laid side by side."""

import base64
import csv
import html
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

JSON_TOKEN = re.compile(r'(?P<space>\s+)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+\-]*)|(?P<literal>true|false|null)|(?P<glue>[{}\[\],:])')
MARKUP = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>|<!.*?>|</?[^<>]*>", re.S)
ATTRIBUTE = re.compile(r"""([^\s=<>"']+)(\s*=\s*)("[^"]*"|'[^']*')""")
GRAPHQL_TOKEN = re.compile(r'(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<number>-?\d[\d.eE+\-]*)|(?P<glue>[^"\d]+|"|\d)')
BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


class Broken(ValueError):
    """The text is no document of its kind."""


@dataclass
class Piece:
    """`role` is glue, space, key, string, number or literal; `text` is what a leaf means."""

    role: str
    raw: str
    text: str = ""


def pieces(kind, text, boundary=""):
    return {
        "json": json_pieces,
        "ndjson": ndjson_pieces,
        "sse": sse_pieces,
        "form": form_pieces,
        "multipart": lambda t: multipart_pieces(t, boundary),
        "xml": xml_pieces,
        "html": markup_pieces,
        "csv": csv_pieces,
        "graphql": graphql_pieces,
        "http": http_pieces,
        "url": url_pieces,
        "text": text_pieces,
    }[kind](text)


def json_pieces(text):
    try:
        json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Broken(f"no JSON: {error}") from None
    out, at = [], 0
    while at < len(text):
        match = JSON_TOKEN.match(text, at)
        if not match:
            raise Broken("no JSON token")
        role, raw, at = match.lastgroup, match[0], match.end()
        if role == "string":
            out.append(Piece("string", raw, json.loads(raw)))
        else:
            if raw == ":":
                key = next(p for p in reversed(out) if p.role != "space")
                key.role = "key"
            out.append(Piece(role, raw, raw))
    return out


def unique(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("two members of an object have one name")
    return dict(pairs)


def ndjson_pieces(text):
    out = []
    for line in text.split("\n"):
        out += json_pieces(line) if line.strip() else []
        out.append(Piece("glue", "\n"))
    return out


def sse_pieces(text):
    out = []
    for line in text.split("\n"):
        if line.startswith("data: {"):
            out += [Piece("glue", "data: "), *json_pieces(line[6:])]
        else:
            out.append(Piece("glue", line))
        out.append(Piece("glue", "\n"))
    return out


def form_pieces(text):
    if BAD_PERCENT.search(text) or re.search(r"\s", text):
        raise Broken("no form encoding")
    out = []
    for at, pair in enumerate(text.split("&")):
        name, equals, value = pair.partition("=")
        out += [Piece("glue", "&")] if at else []
        out += [Piece("key", name, unquote_plus(name)), Piece("glue", equals), Piece("string", value, unquote_plus(value))]
    return out


def multipart_pieces(text, boundary):
    parts = text.replace("\r\n", "\n").split(f"--{boundary}")
    if len(parts) < 3 or not parts[-1].startswith("--"):
        raise Broken("no multipart of this boundary")
    out = [Piece("glue", parts[0])]
    for part in parts[1:-1]:
        head, blank, body = part.partition("\n\n")
        if not blank:
            raise Broken("a part without a head")
        out.append(Piece("glue", re.sub(r'filename="[^"]*"', "", head)))
        body = body.removesuffix("\n")
        out += json_pieces(body) if "application/json" in head else [Piece("string", body, body)]
    return [*out, Piece("glue", parts[-1])]


def xml_pieces(text):
    try:
        ElementTree.fromstring(text.lstrip("\ufeff"))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Broken(f"no XML: {error}") from None
    return markup_pieces(text.lstrip("\ufeff"))


def markup_pieces(text):
    out, at = [], 0
    for match in MARKUP.finditer(text):
        out.append(_between(text[at : match.start()]))
        raw, at = match[0], match.end()
        if raw.startswith("<![CDATA["):
            out += [Piece("glue", "<![CDATA["), Piece("string", raw[9:-3], raw[9:-3]), Piece("glue", "]]>")]
        elif raw.startswith("<?"):
            # Its encoding may be named anew.
            out.append(Piece("glue", "<?"))
        else:
            out += tag_pieces(raw)
    out.append(_between(text[at:]))
    return out


def _between(text):
    return Piece("string", text, html.unescape(text)) if text.strip() else Piece("space", text, text)


def tag_pieces(tag):
    out, at = [], 0
    for match in ATTRIBUTE.finditer(tag):
        value = match[3]
        out.append(Piece("glue", tag[at : match.start(3)] + value[0]))
        out += [Piece("string", value[1:-1], html.unescape(value[1:-1]))]
        at = match.end(3) - 1
    return [*out, Piece("glue", tag[at:])]


def csv_pieces(text):
    text = text.lstrip("\ufeff")
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Broken(f"no CSV: {error}") from None
    out = []
    for at, row in enumerate(rows):
        if row and len(row) != len(rows[0]):
            raise Broken("rows of different length")
        out.append(Piece("glue", f"{len(row)}{delimiter}"))
        out += [Piece("string" if at else "key", cell, cell) for cell in row]
    return out


def graphql_pieces(text):
    for a, b in ("{}", "()", "[]"):
        if text.count(a) != text.count(b):
            raise Broken("unbalanced")
    if len(re.findall(r'(?<!\\)"', text)) % 2:
        raise Broken("an open string")
    out = []
    for match in GRAPHQL_TOKEN.finditer(text):
        raw = match[0]
        if match.lastgroup == "string":
            try:
                out.append(Piece("string", raw, json.loads(raw)))
            except ValueError:
                raise Broken("no string") from None
        else:
            out.append(Piece(match.lastgroup, raw, raw))
    return out


def http_pieces(text):
    out = []
    for at, line in enumerate(text.split("\r\n")):
        name, colon, value = line.partition(": ")
        if at == 0:
            parts = line.split(" ")
            if len(parts) < 3:
                raise Broken("no first line")
            out += [Piece("string", part, unquote(part)) for part in parts]
        elif colon:
            out += [Piece("glue", name + colon), Piece("string", value, value)]
        elif line:
            raise Broken("no header field")
        out.append(Piece("glue", "\r\n"))
    return out


def url_pieces(text):
    if BAD_PERCENT.search(text) or " " in text:
        raise Broken("no URL")
    return [Piece("glue", p) if p in "/?&=\r\n" and p else Piece("string", p, unquote(p)) for p in re.split(r"([/?&=]|\r\n)", text)]


def text_pieces(text):
    out = []
    for line in text.split("\n"):
        out += [Piece("string", line, line), Piece("glue", "\n")]
    return out


def inner(text):
    """How a leaf carries a document: json or base64, with the document's text; else nothing."""
    if text[:1] in "{[" and text[-1:] in "}]":
        try:
            json.loads(text)
            return "json", text
        except (ValueError, RecursionError):
            return None
    if len(text) >= 16 and re.fullmatch(r"[A-Za-z0-9+/_-]+=*", text):
        try:
            plain = base64.b64decode(text.replace("-", "+").replace("_", "/") + "==").decode()
        except ValueError:
            return None
        if plain[:1] in ("{", "["):
            nested = inner(plain)
            return ("base64", plain) if nested and nested[0] == "json" else None
    return None


@dataclass
class Side:
    """What laying an output beside its input shows. `pairs` are leaves of both in order; `glue` counts changed separators."""

    broken: str = ""
    pairs: tuple = ()
    types: int = 0
    glue: int = 0


def beside(kind, before, after, boundary=""):
    a = pieces(kind, before, boundary)
    try:
        b = pieces(kind, after, boundary)
    except Broken as error:
        return Side(str(error))
    return lay(a, b)


def lay(a, b):
    # White space is compared where both have it, so that its loss is no other damage.
    spaces = [[p.raw for p in side if p.role == "space"] for side in (a, b)]
    a, b = ([p for p in side if p.role != "space"] for side in (a, b))
    if len(a) != len(b):
        return Side("another structure")
    side = Side(glue=int(spaces[0] != spaces[1]))
    pairs = []
    for one, two in zip(a, b):
        if one.role == "glue" or two.role == "glue":
            if one.role != two.role or (one.raw != two.raw and one.raw.strip() != two.raw.strip()):
                return Side("another structure")
            side.glue += one.raw != two.raw
            continue
        if one.role != two.role:
            side.types += 1
        pairs.append((one, two))
        if one.raw != two.raw and one.role == "string":
            nested = within_leaf(one.text, two.text)
            if nested:
                if nested.broken:
                    return Side(f"inner document: {nested.broken}")
                side.types, side.glue = side.types + nested.types, side.glue + nested.glue
                pairs[-1:] = nested.pairs
    side.pairs = tuple(pairs)
    return side


def within_leaf(before, after):
    """The documents that a changed leaf carried, side by side."""
    a = inner(before)
    if not a:
        return None
    b = inner(after)
    if not b or a[0] != b[0]:
        return Side("no longer one")
    return lay(json_pieces(a[1]), json_pieces(b[1]))
