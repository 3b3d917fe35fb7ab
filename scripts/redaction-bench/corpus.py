"""The corpus of a seed: bodies whose planted and harmless values cannot be mistaken for each other."""

import hashlib
import itertools
import random
import re
from types import SimpleNamespace

import containers
import held_out
import money
import national
import rehearsal
import tune
from people import Person
from truth import SEPARATED, canonical

FAMILIES = {"tune": tune, "rehearsal": rehearsal, "held-out": held_out}
# People that occur in many bodies, for equal values across bodies.
POOL = 40
ATTEMPTS_MAX = 60


def bodies(seed, count, name, written=None):
    """`written` gives what stands in the text in place of a planted value: what a perfect redactor would have made."""
    family = FAMILIES[name] if written is None else SimpleNamespace(**vars(FAMILIES[name]), written=written)
    pool = known_people(seed, name, family)
    return [one(seed, index, name, family, pool) for index in range(count)]


def scrambled(type_, value):
    """A stand-in of the same shape, the same for every spelling of a value."""
    plain = canonical(type_, value)
    stream = itertools.count()

    def one(c):
        if not c.isalnum():
            return c
        n = hashlib.sha256(f"{type_}/{plain}/{next(stream)}".encode()).digest()[0]
        if c.isdigit():
            return str(n % 9 + 1) if c != "0" else str(n % 10)
        letter = "abcdefghijklmnopqrstuvwxyz"[n % 26]
        return letter.upper() if c.isupper() else letter

    return "".join(map(one, value))


def known_people(seed, name, family):
    rng = random.Random(f"{seed}/{name}/people")
    pool = [Person(rng, rng.choice(family.LOCALES), family.DOMAINS) for _ in range(POOL)]
    for person in pool:
        for ask in (person.full, person.email, person.username, person.street, person.city, person.postcode, person.ip4, person.ip6, person.passport, person.licence, person.card, person.iban):
            ask()
        person.phone("e164"), person.born("iso")
        # What is asked for later must not depend on which body asks first.
        person.once("ssn", lambda: money.ssn(rng))
        person.once("aba", lambda: money.aba(rng))
        person.once("account", lambda: money.account(rng))
        person.once("wallet", lambda: money.wallet(rng))
        person.once("vat", lambda: money.vat(rng, "DE"))
        for country in family.NATIONAL:
            person.once(f"natid {country}", lambda: national.MAKERS[country](rng)) if country in national.MAKERS else None
    return pool


def one(seed, index, name, family, pool):
    for attempt in range(ATTEMPTS_MAX):
        body, literals = containers.make(seed, index, attempt, name, family, pool)
        if not clash(body, literals):
            return body
    raise RuntimeError(f"no body {index} without a clash in {ATTEMPTS_MAX} attempts: {clash(body, literals)}")


def within(inner, outer):
    """Whether `inner` can be read in `outer`; short and alphabetic texts only as whole words."""
    inner, outer = inner.casefold(), outer.casefold()
    if inner not in outer:
        return False
    if len(inner) >= 12 or not inner.isascii():
        return True
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(inner)}(?![a-z0-9])", outer))


def clash(body, literals):
    """Why the truth of the body would be ambiguous, or nothing."""
    harmless = [n.value for n in body.negatives]
    for planted in body.planted:
        if len(planted.value) < (2 if not planted.value.isascii() else 4):
            return f"{planted.type} is too short to be recognised"
        bare = re.sub(r"\W", "", planted.value).casefold() if planted.type in SEPARATED else None
        for text in (*harmless, *literals):
            if within(planted.value, text) or (bare and len(bare) >= 8 and bare in re.sub(r"\W", "", text).casefold()):
                return f"{planted.type} is part of {text[:20]!r}"
        for text in harmless:
            if within(text, planted.value):
                return f"harmless {text!r} is part of {planted.type}"
    return None


def digest(corpus):
    sha = hashlib.sha256()
    for body in corpus:
        sha.update(body.to_json().encode())
    return sha.hexdigest()
