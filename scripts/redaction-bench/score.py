"""Scores outputs: what can still be read, what harmless was changed, what broke, and whether stand-ins are the same for the same value."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import structure
from decode import count, readable, readings
from truth import SEPARATED, canonical

# A stand-in that serves more than this share of a type's values is a mask, not a pseudonym.
MASK_SHARE = 0.5
# Stand-ins of values with fewer digits collide by chance: told apart.
SHORT_DIGITS = 8


@dataclass
class Miss:
    """One finding, for `--explain`."""

    what: str
    name: str
    placement: str
    body: str
    value: str
    context: str = ""


@dataclass
class Tally:
    total: int = 0
    bad: int = 0

    def add(self, bad):
        self.total += 1
        self.bad += bool(bad)

    @property
    def good(self):
        return 1.0 if not self.total else 1 - self.bad / self.total


@dataclass
class Score:
    """All figures of one engine over one corpus."""

    bodies: int = 0
    size: int = 0
    types: dict = field(default_factory=lambda: defaultdict(Tally))
    places: dict = field(default_factory=lambda: defaultdict(Tally))
    cells: dict = field(default_factory=lambda: defaultdict(Tally))
    named: dict = field(default_factory=lambda: defaultdict(Tally))
    details: dict = field(default_factory=lambda: defaultdict(Tally))
    kinds: dict = field(default_factory=lambda: defaultdict(Tally))
    formats: dict = field(default_factory=lambda: defaultdict(Tally))
    planted: Tally = field(default_factory=Tally)
    negatives: Tally = field(default_factory=Tally)
    stray: Tally = field(default_factory=Tally)
    dropped: Counter = field(default_factory=Counter)
    broken: Counter = field(default_factory=Counter)
    leaf_types: int = 0
    glue: int = 0
    leaks: list = field(default_factory=list)
    altered: list = field(default_factory=list)
    strays: list = field(default_factory=list)
    damage: list = field(default_factory=list)
    stand_ins: dict = field(default_factory=lambda: defaultdict(Counter))
    not_idempotent: int = 0

    def recall(self):
        return self.planted.good

    def consistency(self):
        """(values seen more than once with one stand-in, values seen more than once), and those that differ."""
        often = {k: c for k, c in self.stand_ins.items() if sum(c.values()) > 1}
        differing = sorted(k for k, c in often.items() if len(c) > 1)
        return len(often) - len(differing), len(often), differing

    def collisions(self):
        """Values that share their stand-in with another of their type: {type: (long, short)}, without masks."""
        by_type = defaultdict(lambda: defaultdict(set))
        for (type_, value), seen in self.stand_ins.items():
            for stand_in in seen:
                by_type[type_][stand_in].add(value)
        out = {}
        for type_, served in by_type.items():
            values = set().union(*served.values())
            doubles = [v for v in served.values() if len(v) > 1 and len(v) <= max(2, MASK_SHARE * len(values))]
            short = sum(len(v) for v in doubles if all(len(re.sub(r"\D", "", x)) < SHORT_DIGITS and any(c.isdigit() for c in x) for x in v))
            if doubles:
                out[type_] = (sum(map(len, doubles)) - short, short)
        return out


def score(corpus, outputs, again=None):
    """`outputs`: id to text, or to `("dropped", reason)`. `again`: the outputs of a second run over them."""
    total = Score()
    for body in corpus:
        total.bodies += 1
        total.size += len(body.text.encode())
        out = outputs[body.id]
        if isinstance(out, tuple):
            _dropped(total, body, out[1])
            continue
        side = structure.beside(body.kind, body.text, out, body.boundary)
        if side.broken:
            total.broken[body.kind] += 1
            total.damage.append(Miss("broken", body.kind, "", body.id, "", side.broken))
        total.formats[body.kind].add(side.broken)
        total.leaf_types += side.types
        total.glue += side.glue
        _leaks(total, body, out, side)
        _altered(total, body, out)
        _leaves(total, body, side)
        if again is not None and again[body.id] != out:
            total.not_idempotent += 1
            total.damage.append(Miss("not idempotent", body.kind, "", body.id, "", _difference(out, again[body.id])))
    return total


def _difference(a, b):
    if isinstance(b, tuple):
        return f"dropped: {b[1]}"
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"{a[max(0, at - 30) : at + 30]!r} became {b[max(0, at - 30) : at + 30]!r}"


def _dropped(total, body, reason):
    """What was dropped leaks nothing and keeps nothing: it counts as a broken document, and its negatives as altered by nobody."""
    total.dropped[reason] += 1
    total.formats[body.kind].add(True)
    total.damage.append(Miss("dropped", body.kind, "", body.id, "", reason))
    for p in body.planted:
        _count(total, p, False)


def _count(total, p, leaked):
    total.planted.add(leaked)
    total.types[p.type].add(leaked)
    total.places[p.placement].add(leaked)
    total.cells[p.type, p.placement].add(leaked)
    if p.named:
        total.named[p.type].add(leaked)
    if p.detail:
        total.details[p.type, p.detail].add(leaked)


def _leaks(total, body, out, side):
    for p in body.planted:
        texts = [p.value, *p.spellings]
        separated = p.type in SEPARATED
        shown = next((t for t in texts if readable(t, out, separated)), None)
        if shown and side.pairs:
            # The same text in a leaf that did not hold it is a stand-in that happens to be equal.
            shown = shown if any(readable(shown, b.text, separated) and readable(shown, a.text, separated) for a, b in side.pairs) else None
        _count(total, p, shown)
        if shown:
            total.leaks.append(Miss(p.type, p.field, p.placement, body.id, p.value, context(shown, out)))


def context(value, text, margin=60):
    for reading in readings(text):
        at = reading.find(value.casefold())
        if at >= 0:
            return reading[max(0, at - margin) : at + len(value) + margin]
    return ""


def _altered(total, body, out):
    groups = defaultdict(list)
    for n in body.negatives:
        groups[n.value].append(n)
    for value, group in groups.items():
        missing = count(value, body.text) - count(value, out)
        for at, n in enumerate(group):
            bad = at < missing
            total.negatives.add(bad)
            total.kinds[n.kind].add(bad)
            if bad:
                total.altered.append(Miss(n.kind, n.field, n.placement, body.id, value, context(value, body.text)))


def _leaves(total, body, side):
    """Leaves changed without cause, and the stand-ins of those changed with cause."""
    values = {}
    for p in body.planted:
        values.setdefault(p.value, p)
    for before, after in side.pairs:
        p = values.get(before.text)
        if p:
            if after.text != before.text:
                total.stand_ins[p.type, canonical(p.type, p.value)][canonical(p.type, after.text)] += 1
            continue
        if before.raw == after.raw:
            total.stray.add(False)
            continue
        inside = [p for p in body.planted if readable(p.value, before.text) or any(readable(s, before.text) for s in p.spellings)]
        if inside:
            _from_text(total, inside, before.text, after.text)
            continue
        total.stray.add(True)
        total.strays.append(Miss("stray", before.role, body.kind, body.id, before.text, f"{before.raw[:80]} -> {after.raw[:80]}"))


def _from_text(total, inside, before, after):
    """Stand-ins within a text whose other words are unchanged."""
    # Names may be made of names that stand alone elsewhere: which of them a text holds cannot be told.
    by_value = {p.value: p for p in inside if p.value in before and p.type != "PERSON"}
    if not by_value:
        return
    words = sorted(by_value, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, words)) + ")", before)
    if len(parts) > 21:
        return
    if any(not parts[i] for i in range(2, len(parts) - 1, 2)):
        return
    match = re.fullmatch("".join("(.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)), after, re.S)
    for value, stand_in in zip(parts[1::2], match.groups() if match else ()):
        if stand_in != value:
            p = by_value[value]
            total.stand_ins[p.type, canonical(p.type, value)][canonical(p.type, stand_in)] += 1
