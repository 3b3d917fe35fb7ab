"""Hostile bodies: for each kind, a small and a sixteen times larger one; prints the rates, fails where time is not linear.

usage: hostile.py BINARY [--kib N]
A kind passes if the larger body takes at most 40 times as long as the smaller one: 16 is linear, 256 would be quadratic.
"""

import argparse
import json
import random
import re
import subprocess
import sys

GROWTH = 16
RATIO_MAX = 40.0


def kinds(size, rng):
    """Name → (content type, body of about `size` bytes)."""
    text = "application/json", "text/plain"
    quoted = json.dumps
    digits = "".join(rng.choice("0123456789") for _ in range(size))
    emails = [f"aaaaaaaa{n:06}@example.org" for n in range(size // 60)]
    people = [{"name": f"Anna-Maria Annasdotter{n}", "note": f"for Anna-Maria Annasdotter{n}"} for n in range(size // 80)]
    nested = "x@example.org"
    while len(nested) < size // 4:
        nested = json.dumps({"a": nested})
    return {
        "deep arrays": (text[0], "[" * size),
        "deep objects, within the limit": (text[0], ('{"a":' * 60 + "1" + "}" * 60 + "\n") * (size // 400)),
        "huge number": (text[0], "[" + digits.lstrip("0") + "]"),
        "one long key": (text[0], "{" + quoted("k" * size) + ":1}"),
        "a new name for every value": (text[0], json.dumps({f"n{n:x}x{n * 7919 % 104729}": n for n in range(size // 20)})),
        "one long string of letters": (text[0], quoted("a" * size)),
        "one long string of digits": (text[0], quoted(digits)),
        "digits with blanks": (text[1], " ".join(digits[: size // 2])),
        "digits with hyphens": (text[1], "-".join(digits[: size // 2])),
        "card-like groups": (text[1], " ".join(digits[n : n + 4] for n in range(0, size * 4 // 5, 4))),
        "at signs": (text[1], "@" * size),
        "a@a@a": (text[1], "a@" * (size // 2)),
        "local part without end": (text[1], "a." * (size // 2)),
        "colons": (text[1], ": " * (size // 2)),
        "pairs": (text[1], "password=a " * (size // 11)),
        "unknown pairs": (text[1], " ".join(f"k{n:x}=v" for n in range(size // 9))),
        "percent signs": (text[1], "%25" * (size // 3)),
        "urls in urls": (text[1], "http://a/?u=" * (size // 12)),
        "slashes": (text[1], "/?" * (size // 2)),
        "quotes": (text[1], '"' * size),
        "backslashes in JSON": (text[0], '"' + "\\\\" * (size // 2) + '"'),
        "escapes": (text[0], '"' + "\\u0040" * (size // 6) + '"'),
        "JSON in JSON in JSON": (text[0], nested),
        "base64 alphabet": (text[1], "eyJh" * (size // 4)),
        "hexadecimal digits": (text[1], "7b22" * (size // 4)),
        "many values that begin alike": (text[0], json.dumps({"emails": emails, "text": " ".join(emails)})),
        "many persons, each mentioned": (text[0], json.dumps(people)),
        "one long secret, repeated": (text[0], json.dumps({"password": "a" * (size // 2), "note": "a" * (size // 2)})),
        "numbers that end alike": (text[0], json.dumps({"phones": [f"+{n % 900 + 49} {n} 1234 5678" for n in range(size // 48)], "note": "1234-5678 " * (size // 24)})),
        "elements beside each other": ("application/xml", "<a>" + "<name>x</name>" * (size // 14) + "</a>"),
        "elements in each other": ("application/xml", "<a>" + ("<p><name>x</name>" * 50 + "</p>" * 50) * (size // 1050) + "</a>"),
        "captions": ("text/html", "<b>email</b>: x " * (size // 16)),
        "fields of messages": (text[1], "'a' for field 'b' [c] d " * (size // 24)),
        "lists of names and values": (text[0], json.dumps([{"names": ["email", "phone"], "values": ["a", "b"]}] * (size // 50))),
        "tags": ("text/html", "<a " * (size // 3)),
        "entities": ("text/html", "&amp;" * (size // 5)),
        "open tags": ("application/xml", "<a>" * (size // 3)),
        "form pairs": ("application/x-www-form-urlencoded", "a[b][c]=d&" * (size // 10)),
        "commas": ("text/csv", "," * size),
        "csv quotes": ("text/csv", '"' * size),
        "boundaries": ("multipart/form-data; boundary=b", "--b\r\n" * (size // 5)),
        "braces of GraphQL": ("application/graphql", "{a" * (size // 2)),
        "event lines": ("text/event-stream", "data: 1\n" * (size // 8)),
        "not UTF-8": ("text/plain; charset=latin1", "é" * (size // 2)),
        "IPv6-like": (text[1], "a:" * (size // 2)),
        "IBAN-like": (text[1], "DE44" * (size // 4)),
        "JWT-like": (text[1], "eyJhbGciOiJIUzI1NiJ9." * (size // 21)),
        "PEM without end": (text[1], "-----BEGIN PRIVATE KEY-----" * (size // 27)),
        "objects in text": (text[1], 'x={"a":{"b":"Ada"}} ' * (size // 20)),
        "open objects in text": (text[1], '{"a":{"b":[' * (size // 11)),
        "table in a string": (text[0], quoted({"body": "name,city\n" + "Ada Annasdotter,Rome\n" * (size // 22)})),
        "form in a string": (text[0], quoted({"body": "name=Ada+Annasdotter&a=%41&" * (size // 28) + "b=1"})),
        "rows": (text[0], quoted({"columns": ["name", "city"], "rows": [["Ada Annasdotter", "Rome"]] * (size // 28)})),
        "jCard": (text[0], quoted([["fn", {}, "text", "Ada Annasdotter"]] * (size // 36))),
        "plus signs": (text[1], "+1" * (size // 2)),
        "less-than signs": ("text/html", "1<2 " * (size // 4)),
        "line breaks": ("text/html", "Hauptstr. 5<br>10115 Berlin<br>" * (size // 31)),
        "statements": (text[1], "INSERT INTO t (name, city) VALUES ('Ada Annasdotter', 'Rome'); " * (size // 63)),
        "open statements": (text[1], "INSERT INTO t (name" * (size // 19) + "'"),
        "labelled lines": (text[1], "Surname: Annasdotter\n" * (size // 21)),
        "labels on one line": (text[1], "surname: Annasdotter, town: Rome, " * (size // 34)),
        "names without values": (text[1], "surname : " * (size // 10) + " " * (size // 2)),
        "leaders": (text[1], "town ... " * (size // 9)),
        "dots and equals signs": (text[1], ".=" * (size // 2)),
        "cells apart": (text[1], "NAME  TOWN  BORN\n" + "Ada  Rome  1815-12-10\n" * (size // 22)),
        "open quotes": (text[1], "„surname '" * (size // 12)),
        "words before quotes": (text[1], "date of birth '1815-12-10' " * (size // 27)),
        "verdicts": (text[0], quoted({"errors": {"surname": ["The surname 'Annasdotter' is invalid."] * (size // 42)}})),
        "names without quotes": (text[1], "name=Ada Maria Annasdotter " * (size // 27)),
        "cells between bars": (text[1], "| Name | City |\n|------|------|\n" + "| Ada Annasdotter | Rome |\n" * (size // 27)),
        "typed values": (text[0], quoted([{"town": {"M": {"S": "Rome"}}}] * (size // 32))),
        "segments": (text[1], "UNB+UNOA:4+A+B'" + "NAD+FL+++ANNASDOTTER:ADA'" * (size // 25)),
        "cells in turn between bars": (text[1], "".join("SURNAME|ANNASDOTTER|QXA|%s|\n" % "".join(chr(65 + (n >> 4 * k) % 16) for k in range(4)) for n in range(size // 29))),
        "objects that say what they are": (text[0], json.dumps([{"type": "contacts", "attributes": {"name": "Ada", "n": n}} for n in range(size // 60)])),
        "pairs in a list": (text[0], json.dumps([["surname" if n % 2 else f"k{n:x}", "Ada"] for n in range(size // 18)])),
        "names with dots": ("application/x-www-form-urlencoded", "&".join(f"security.code.{n:x}=860" for n in range(size // 22))),
        "rows of a page": ("text/html", "<table><tr><th>Town<th>Surname</tr>" + "<tr><td>Rome<td>Annasdotter" * (size // 28)),
        "tables within tables": ("text/html", "<table><tr><td>Town<td>" * 40 + "<td>Rome<tr>" * (size // 12)),
        "captions of a page": ("text/html", "<p><b>Town</b> " * (size // 15)),
        "attributes that hint": ("text/html", "<i" + " class='town city' id=town" * (size // 27) + ">Rome</i>"),
        "rows of a spreadsheet": ("application/xml", "<t>" + "<row><c><v>Town</v></c><c><v>Rome</v></c></row>" * (size // 47) + "</t>"),
        "lines of cells": (text[0], quoted({"header": "id|town|surname", "lines": ["7|Rome|Annasdotter"] * (size // 21)})),
        "lines before a header": ("text/csv", "\"EXTF\";700\n" * 3 + "Ort;Straße\n" + "Rome;Via 5\n" * (size // 11)),
        "lines of a label": (text[1], "^XA" + "^FDAda Annasdotter^FS" * (size // 22)),
        "fields of a surgery": (text[1], "01380006302\n" + "0203101Annasdotter\n" * (size // 20)),
        "entries of a bank": (text[1], ("101 091000019" + " " * 60 + "\n5200" + " " * 70 + "\n") + ("622091000019" + "5" * 82 + "\n") * (size // 95)),
    }


def microseconds(binary, content_type, body):
    """How long redaction of the body takes: the least of five, since the machine has other work."""
    line = json.dumps({"id": 0, "content_type": content_type, "body": body}) + "\n"
    done = subprocess.run([binary, "redact", "--jsonl", "--timing"], input=(line * 5).encode(), capture_output=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"the filter ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    told = re.search(r"per KiB of a body [\d.]+ us median, [\d.]+ us p99; least ([\d.]+) us", done.stderr.decode())
    return float(told.group(1)) * len(body.encode()) / 1024


def main():
    """Prints a row per kind; exit code 1 if one is not linear."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--kib", type=int, default=32, help="size of the smaller bodies")
    args = parser.parse_args()
    small, large = args.kib * 1024, args.kib * 1024 * GROWTH
    bad = 0
    print(f"{'hostile body':40} {'MB/s small':>11} {'MB/s large':>11} {'time x':>8}")
    larger = kinds(large, random.Random(1))
    for name, (content_type, body) in kinds(small, random.Random(1)).items():
        one = microseconds(args.binary, content_type, body)
        two = microseconds(args.binary, content_type, larger[name][1])
        ratio = two / max(one, 1.0)
        linear = ratio <= RATIO_MAX
        bad += not linear
        rate = lambda body, us: len(body.encode()) / max(us, 0.1)
        verdict = "" if linear else "  NOT LINEAR"
        print(f"{name:40} {rate(body, one):11.1f} {rate(larger[name][1], two):11.1f} {ratio:8.1f}{verdict}")
    print(f"{len(larger) - bad} linear, {bad} not")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
