"""Lets a test's own values stand where the recordings varied or redaction struck: matchers.json says where.

    recorder = darklaunch_vcr.configured(vcr.VCR())
    with recorder.use_cassette("cassette.yaml", record_mode="none"):
        ...
"""

import base64
import hashlib
import json
import pathlib
import re
from urllib.parse import parse_qsl, urlsplit

MATCHERS = json.loads(pathlib.Path(__file__).with_name("matchers.json").read_text(encoding="utf-8"))


def configured(recorder):
    recorder.register_matcher("darklaunch", matches)
    recorder.match_on = ["scheme", "host", "port", "darklaunch"]
    return recorder


def matches(asked, stored):
    want = MATCHERS[f"{stored.method} {stored.uri} {hashlib.sha256(as_bytes(stored.body)).hexdigest()}"]
    assert asked.method == want["method"], "another method"
    url = urlsplit(asked.uri)
    if "path" in want:
        assert (url.path or "/") == want["path"], "another path"
    else:
        segments = url.path.lstrip("/").split("/")
        assert fits_all(want["segments"], segments), "another path"
    assert fits_fields(want["query"], url.query), "another query"
    assert fits_body(want["body"], asked.body), "another body"


def as_bytes(body):
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def fits(want, value):
    return value == want if isinstance(want, str) else re.fullmatch(want["pattern"].strip("^$"), value) is not None


def fits_all(wants, values):
    return len(wants) == len(values) and all(fits(want, value) for want, value in zip(wants, values, strict=True))


def fits_fields(wants, encoded):
    given = parse_qsl(encoded, keep_blank_values=True)
    return all(fits_all(want, [value for key, value in given if key == name]) for name, want in wants.items())


def fits_body(want, body):
    if want is None:
        return True
    given = as_bytes(body)
    if "base64" in want:
        return given == base64.b64decode(want["base64"])
    try:
        text = given.decode()
        if "form" in want:
            return fits_fields(want["form"], text)
        return fits_json(want["json"], json.loads(text)) if "json" in want else text == want["text"]
    except ValueError:
        return False


def fits_json(want, value):
    if "is" in want:
        return value == want["is"] and isinstance(value, bool) == isinstance(want["is"], bool)
    if "object" in want:
        known = isinstance(value, dict)
        return known and all(name in value and fits_json(inner, value[name]) for name, inner in want["object"].items())
    if "array" in want:
        known = isinstance(value, list) and len(value) == len(want["array"])
        return known and all(fits_json(inner, item) for inner, item in zip(want["array"], value, strict=True))
    if want["string"] and not isinstance(value, str):
        return False
    if want["any_of"] == "number" and isinstance(value, (int, float)):
        return True
    return want["any_of"] == "any" or (isinstance(value, str) and re.fullmatch(want["pattern"], value) is not None)
