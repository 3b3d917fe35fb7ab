"""Fills templates and keeps the truth about what it put where.

A template is text, or a tree of dicts and lists with such text. `{@spec}` plants a personal value, `{~kind}` a harmless one;
`{#@spec}` and `{#~kind}` stand as JSON numbers; `/2` takes another person; `:place` overrides the placement.
"""

import base64
import json
import re
from urllib.parse import quote

import credentials
import money
import national
import negatives
from people import Person
from truth import Negative, Planted

HOLE = re.compile(r"\{(#?)([@~])([a-zA-Z0-9_., ]+?)(?:/(\d))?(?::([a-z ]+))?\}")
# The word before a hole: a parameter, an element, an attribute, or what a sentence says.
NAME_BEFORE = re.compile(r"([^\W\d][\w.:\-]*)\W{0,4}$")
URL = re.compile(r"^(https?://|/[a-z{]|\?)")
PHONE_FORMS = ["e164", "intl", "intl", "national", "national", "zeros", "dots", "trunk"]
# Where a value that stands in several places of one body is counted: the later of these.
HARDNESS = ["field", "pair", "opaque", "text", "url query", "url path"]


# Placements that say how the whole document is written.
WRITTEN = {None, "escaped", "charset"}


class Number(str):
    """The literal of a JSON number."""


class Many(list):
    """Between `lo` and `hi` fillings of `template`, each for another person."""

    def __init__(self, template, lo=1, hi=3):
        super().__init__()
        self.template, self.lo, self.hi = template, lo, hi


class Either(list):
    """One of the templates."""

    def __init__(self, *templates):
        super().__init__()
        self.templates = templates


class Inside:
    """A document carried as text by a leaf: `how` is json, base64, form, query or xml; about another person."""

    def __init__(self, how, template):
        self.how, self.template = how, template


class Draft:
    """One body in the making. `placement` is what a plain leaf of the container is counted as."""

    def __init__(self, rng, family, pool, placement="field", everywhere=None):
        self.rng, self.family, self.pool = rng, family, pool
        # What is written in place of a planted value: the value itself, except by an oracle.
        self.written = getattr(family, "written", lambda type_, value: value)
        self.placement, self.everywhere = placement, everywhere
        self.planted, self.negatives, self.literals, self.names = [], [], [], []
        self.people = {}

    def person(self, index):
        if index not in self.people:
            known = self.pool and self.rng.random() < 0.25
            self.people[index] = self.rng.choice(self.pool) if known else self.new_person()
        return self.people[index]

    def new_person(self):
        return Person(self.rng, self.rng.choice(self.family.LOCALES), self.family.DOMAINS)

    # Values

    def plant(self, spec, index, placement, escape=None, digits=False):
        name, _, form = spec.partition(".")
        type_, value, detail, spellings = self._value(name, form, self.person(index))
        if digits:
            value = re.sub(r"\D", "", value).lstrip("0")
        spellings = [s for s in spellings if len(s) >= 6]
        placement = self._place(placement)
        self._note(Planted(type_, value, placement, ".".join(self.names[-2:]), detail, spellings))
        value = self.written(type_, value)
        return escape(value) if escape else value

    def _place(self, placement):
        # Text and URLs stay what they are in a document that is written in another way.
        return placement if placement in {"text", "url query", "url path"} and self.everywhere in WRITTEN else self.everywhere or placement or self.placement

    def _note(self, new):
        for old in self.planted:
            if (old.type, old.value) == (new.type, new.value):
                rank = [HARDNESS.index(p) if p in HARDNESS else len(HARDNESS) for p in (old.placement, new.placement)]
                if rank[1] > rank[0]:
                    old.placement, old.field = new.placement, new.field
                return
        self.planted.append(new)

    def _value(self, name, form, who):
        """The report's type, the text, a detail for the report, and other texts that give it away."""
        rng = self.rng
        if name == "person":
            text = {"": who.full, "first": who.first, "last": who.last, "reversed": who.reversed}[form]()
            return "PERSON", text.upper() if not form and rng.random() < 0.03 else text, form or "full", []
        if name in {"street", "city", "postcode", "address"}:
            type_ = {"street": "ADDRESS", "address": "ADDRESS"}.get(name, name.upper())
            return type_, {"address": who.one_line}.get(name, getattr(who, name, None))(), name, []
        if name == "phone":
            form = form or rng.choice(PHONE_FORMS)
            return "PHONE", who.phone(form), form, []
        if name == "dob":
            return "DOB", who.born(form or rng.choice(["iso", "iso", "us", "dots", "slash", "instant"])), form, []
        if name == "card":
            form = form or rng.choice(["plain", "plain", "plain", "spaced", "dashed"])
            separator = {"plain": "", "spaced": " ", "dashed": "-"}[form]
            return "CARD", money.card_grouped(who.card(), separator), form, []
        if name == "iban":
            form = form or rng.choice(["plain", "plain", "spaced"])
            return "IBAN", money.grouped(who.iban()) if form == "spaced" else who.iban(), who.iban()[:2], []
        if name == "ssn":
            text = who.once("ssn", lambda: money.ssn(rng))
            form = form or rng.choice(["dashed", "dashed", "dashed", "plain"])
            return "US_SSN", text.replace("-", "") if form == "plain" else text, form, []
        if name == "natid":
            text, country = who.national_id(form or None, sorted(c for c in self.family.NATIONAL if c in national.MAKERS))
            return "NATIONAL_ID", text, country, []
        if name == "jwt":
            return self._jwt(who)
        if name == "pem":
            text, lines = credentials.private_key(rng)
            return "PRIVATE_KEY", text, "", lines[:2]
        if name == "basic":
            secret = credentials.plain_password(rng)
            return "BASIC_AUTH", base64.b64encode(f"{who.username()}:{secret}".encode()).decode(), "", [secret]
        if name == "apikey":
            vendor = form or rng.choice(self.family.VENDORS)
            return "API_KEY", credentials.VENDORS[vendor](rng), vendor, []
        if name == "vat":
            country = form or rng.choice(["DE", "IT", "BE", "FR", "PL", "AT", "NL", "PT", "SE", "FI"])
            return "VAT_ID", who.once("vat", lambda: money.vat(rng, country)), country, []
        if name == "password":
            return "PASSWORD", credentials.plain_password(rng) if form == "plain" else credentials.password(rng), form, []
        make = {
            "email": ("EMAIL", who.email),
            "ip4": ("IPV4", who.ip4),
            "ip6": ("IPV6", who.ip6),
            "aba": ("ABA", lambda: who.once("aba", lambda: money.aba(rng))),
            "account": ("BANK_ACCOUNT", lambda: who.once("account", lambda: money.account(rng))),
            "passport": ("PASSPORT", who.passport),
            "licence": ("DRIVER_LICENCE", who.licence),
            "username": ("USERNAME", who.username),
            "token": ("TOKEN", lambda: credentials.token(rng)),
            "wallet": ("WALLET", lambda: who.once("wallet", lambda: money.wallet(rng))),
        }[name]
        return make[0], make[1](), "", []

    def _jwt(self, who):
        claims = {"iss": "https://login.issuer.test", "sub": credentials.some(self.rng, credentials.HEX, 24), "email": who.email(), "iat": negatives.at(self.rng)}
        if self.rng.random() < 0.5:
            claims["name"] = who.full()
        token = credentials.jwt(self.rng, claims)
        self._note(Planted("EMAIL", who.email(), "jwt claim", "email"))
        if "name" in claims:
            self._note(Planted("PERSON", who.full(), "jwt claim", "name", "full"))
        return "JWT", token, "", [token.split(".")[1]]

    def keep(self, kind, placement=None, escape=None):
        own = self.family.NAMES.get(kind)
        value = self.rng.choice(own) if own else negatives.TEXT[kind](self.rng)
        placement = self._place(placement)
        self.negatives.append(Negative(kind.partition(".")[0], value, placement, ".".join(self.names[-2:])))
        return escape(value) if escape else value

    # Templates

    def text(self, template, escape=None, placement=None):
        """`template` with its holes filled; `escape` is applied to each value, not to the template."""
        self.literals.append(HOLE.sub("\0", template))
        whole = HOLE.fullmatch(template)
        url = URL.match(template)

        def fill(match):
            number, sigil, spec, index, place = match.groups()
            before = template[max(0, match.start() - 1) : match.start()]
            if url:
                place = place or ("url query" if before == "=" else "url path")
            elif not whole:
                place = place or placement or "text"
            else:
                place = place or placement
            quoting = escape or (percent if url else None)
            if before == "=" and "?" in template[: match.start()] and not url:
                # A query within a text.
                quoting = percent
            named = None if whole else NAME_BEFORE.search(template[: match.start()])
            self.names += [named[1]] if named else []
            try:
                return self.keep(spec, place, quoting) if sigil == "~" else self.plant(spec, int(index or 0), place, quoting)
            finally:
                del self.names[len(self.names) - bool(named) :]

        return HOLE.sub(fill, template)

    def tree(self, template):
        """`template` as a tree of dicts, lists, strings, `Number`, booleans and None."""
        if isinstance(template, Either):
            return self.tree(self.rng.choice(template.templates))
        if isinstance(template, Many):
            out = []
            for _ in range(self.rng.randint(template.lo, template.hi)):
                out.append(self.elsewhere(template.template))
            return out
        if isinstance(template, Inside):
            return self.inside(template)
        if isinstance(template, dict):
            return {self.key(k): self.under(k, v) for k, v in template.items()}
        if isinstance(template, list):
            return [self.tree(item) for item in template]
        if isinstance(template, str):
            return self.leaf(template)
        return template

    def elsewhere(self, template):
        """About other people than so far."""
        people, self.people = self.people, {}
        try:
            return self.tree(template)
        finally:
            self.people = people

    def key(self, key):
        if HOLE.search(key):
            return self.text(key, placement="object key")
        self.literals.append(key)
        return key

    def under(self, key, template):
        self.names.append("{}" if HOLE.search(key) else key)
        try:
            return self.tree(template)
        finally:
            self.names.pop()

    def leaf(self, template):
        match = HOLE.fullmatch(template)
        if match and match[1]:
            place = match[5] or "number"
            if match[2] == "~":
                return Number(self.keep(match[3], place))
            return Number(self.plant(match[3], int(match[4] or 0), place, digits=True))
        return self.text(template)

    def inside(self, node):
        place = {"json": "json in string", "base64": "base64", "xml": "xml in string", "form": "form in string", "query": "url query"}[node.how]
        outer, self.everywhere = self.everywhere, place
        people, self.people = self.people, {}
        try:
            if node.how in {"json", "base64"}:
                text = dump(self.tree(node.template))
                return base64.b64encode(text.encode()).decode() if node.how == "base64" else text
            if node.how == "xml":
                return self.text(node.template, escape=xml_escape)
            return self.text(node.template, escape=percent)
        finally:
            self.everywhere, self.people = outer, people


def percent(text):
    return quote(text, safe="")


def xml_escape(text):
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, entity)
    return text


def escaped(text):
    """A JSON string in which what is no letter stands as `\\u` escapes, or behind a backslash."""
    out = []
    for c in text:
        if c == "/":
            out.append("\\/")
        elif c.isascii() and c.isalnum() or c == " ":
            out.append(c)
        else:
            out += [f"\\u{int.from_bytes(pair, 'big'):04x}" for pair in _units(c)]
    return '"' + "".join(out) + '"'


def _units(c):
    data = c.encode("utf-16-be")
    return [data[i : i + 2] for i in range(0, len(data), 2)]


def dump(node, style="plain", indent=None, depth=0):
    """JSON that keeps number literals. `style`: plain, ascii (non-ASCII escaped) or escaped."""
    quoted = {"plain": lambda s: json.dumps(s, ensure_ascii=False), "ascii": json.dumps, "escaped": escaped}[style]
    if isinstance(node, Number):
        return str(node)
    if isinstance(node, str):
        return quoted(node)
    if not isinstance(node, (dict, list)):
        return json.dumps(node)
    colon = ": " if indent else ":"
    parts = [quoted(k) + colon + dump(v, style, indent, depth + 1) for k, v in node.items()] if isinstance(node, dict) else [dump(v, style, indent, depth + 1) for v in node]
    a, b = "{}" if isinstance(node, dict) else "[]"
    if not parts or not indent:
        return a + ",".join(parts) + b
    pad = "\n" + " " * indent * (depth + 1)
    return a + pad + ("," + pad).join(parts) + "\n" + " " * indent * depth + b
