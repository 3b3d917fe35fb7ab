"""Every reading of a text: what can be seen in it by undoing escapes, percent-encoding, entities and base64, and those within each other."""

import base64
import html
import re
from functools import lru_cache
from urllib.parse import unquote

# Decodings within decodings, and readings of one text.
DEPTH_MAX = 4
READINGS_MAX = 60
ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\[\\/\"'bfnrt]")
TOKEN = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
SEPARATORS = re.compile(r"[\s\-./()_\u00a0]+")


def unescape(text):
    def one(match):
        found = match[0]
        if found[1] == "u":
            units = bytes.fromhex(found.replace("\\u", ""))
            return units.decode("utf-16-be", "replace")
        return PLAIN.get(found[1], found[1])

    return ESCAPE.sub(one, text)


def from_base64(text):
    """The texts that its base64 words stand for, one a line."""
    out = []
    for word in TOKEN.findall(text):
        word = word.rstrip("=").replace("-", "+").replace("_", "/")
        # A word may have taken in a letter that stood before it: no attempt is made to find it.
        try:
            data = base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
            plain = data.decode("utf-8")
        except ValueError:
            continue
        if sum(c.isprintable() or c.isspace() for c in plain) > 0.9 * len(plain):
            out.append(plain)
    return "\n".join(out)


def decoders(text):
    if "\\" in text:
        yield unescape(text)
    if "%" in text:
        yield unquote(text)
    if "+" in text and ("=" in text or "%" in text):
        yield unquote(text.replace("+", " "))
    if '""' in text:
        yield text.replace('""', '"')
    if "&" in text:
        yield html.unescape(text)
    yield from_base64(text)


@lru_cache(maxsize=20_000)
def readings(text):
    """`text` first, then all that can be read in it, case folded away."""
    seen, level = {text: None}, [text]
    for _ in range(DEPTH_MAX):
        following = []
        for one in level:
            for new in decoders(one):
                if new and new not in seen and len(seen) < READINGS_MAX:
                    seen[new] = None
                    following.append(new)
        level = following
    return tuple(dict.fromkeys(t.casefold() for t in seen))


@lru_cache(maxsize=20_000)
def bare_readings(text):
    """The readings without separators."""
    return tuple(dict.fromkeys(SEPARATORS.sub("", t) for t in readings(text)))


def count(value, text):
    """How often `value` is seen in the reading that shows it most. A short or purely alphabetic value counts as a whole word."""
    value = value.casefold()
    best = 0
    for reading in readings(text):
        if value in reading:
            best = max(best, len(_whole(value).findall(reading)) if wordlike(value) else reading.count(value))
    return best


def wordlike(value):
    return value.isascii() and (len(value) < 8 or (len(value) < 16 and not any(c.isdigit() for c in value)))


@lru_cache(maxsize=50_000)
def _whole(value):
    return re.compile(rf"(?<![a-z0-9]){re.escape(value)}(?![a-z0-9])")


def readable(value, text, separated=False):
    """Whether `value` can be read in `text`; `separated` also in another grouping."""
    if count(value, text):
        return True
    if separated:
        bare = SEPARATORS.sub("", value).casefold()
        return len(bare) >= 8 and any(bare in reading for reading in bare_readings(text))
    return False
