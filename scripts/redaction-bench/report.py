"""The tables in Markdown, the gates, and the examples behind a figure."""

from collections import Counter

from truth import CHECKED, CREDENTIALS, NAMES_AND_PLACES, UNTOUCHABLE

RECALL_MIN = 0.97
NAMED_PERSONAL_MIN = 0.95
ALTERED_MAX = 0.005
PLAIN = ("field", "opaque")
# Placements in which nothing more may leak than in plain ones, with a tolerance for their few values.
WRAPPED = ("base64", "url query", "url path", "escaped", "number", "object key", "json in string", "form in string", "xml in string", "charset")
TOLERANCE = 0.005
SPEED_MIN = 100.0
MEDIAN_US_MAX = 15.0


def percent(x, places=1):
    return f"{100 * x:.{places}f} %"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(map(str, r)) + " |" for r in rows)])


def worse_than_plain(score):
    """{placement: (recall there, recall of the same types in plain places)} of the wrapped placements."""
    out = {}
    for place in WRAPPED:
        cells = [(t, tally) for (t, p), tally in score.cells.items() if p == place]
        total, expected, bad = 0, 0.0, 0
        for type_, tally in cells:
            plain = [score.cells[type_, p] for p in PLAIN if (type_, p) in score.cells]
            if not plain:
                continue
            share = 1 - sum(t.bad for t in plain) / sum(t.total for t in plain)
            total, expected, bad = total + tally.total, expected + share * tally.total, bad + tally.bad
        if total:
            out[place] = (1 - bad / total, expected / total, total)
    return out


def gates(score, speed=None):
    """[(what, measured, wanted, passed)]. The speed is told, not gated: it is the machine's too."""

    def share(names, only_named=False):
        tallies = [(score.named if only_named else score.types)[t] for t in sorted(names)]
        total = sum(t.total for t in tallies)
        return 1.0 if not total else 1 - sum(t.bad for t in tallies) / total

    untouchable = sum(score.kinds[k].bad for k in UNTOUCHABLE if k in score.kinds)
    same, often, _ = score.consistency()
    collisions = sum(long for long, _ in score.collisions().values())
    broken, dropped = sum(score.broken.values()), sum(score.dropped.values())
    rows = [
        ("recall, all values", percent(score.recall(), 2), f">= {percent(RECALL_MIN)}", score.recall() >= RECALL_MIN),
        ("recall, checksum types", percent(share(CHECKED), 2), "100 %", share(CHECKED) == 1),
        ("recall, credentials in named fields", percent(share(CREDENTIALS, True), 2), "100 %", share(CREDENTIALS, True) == 1),
        ("recall, names in named fields", percent(share({"PERSON"}, True), 2), f">= {percent(NAMED_PERSONAL_MIN)}", share({"PERSON"}, True) >= NAMED_PERSONAL_MIN),
        ("recall, addresses in named fields", percent(share(NAMES_AND_PLACES - {"PERSON"}, True), 2), f">= {percent(NAMED_PERSONAL_MIN)}", share(NAMES_AND_PLACES - {"PERSON"}, True) >= NAMED_PERSONAL_MIN),
    ]  # fmt: skip
    for place, (there, plain, n) in worse_than_plain(score).items():
        rows.append((f"recall, {place} ({n})", percent(there, 2), f">= {percent(plain, 2)} (plain)", there >= plain - TOLERANCE))
    rows += [
        ("harmless values altered", percent(1 - score.negatives.good, 2), f"<= {percent(ALTERED_MAX)}", 1 - score.negatives.good <= ALTERED_MAX),
        ("UUIDs, timestamps, hashes, versions altered", untouchable, "0", untouchable == 0),
        ("leaves without anything personal changed", percent(1 - score.stray.good, 2), f"<= {percent(ALTERED_MAX)}", 1 - score.stray.good <= ALTERED_MAX),
        ("documents broken", broken, "0", broken == 0),
        ("documents dropped", dropped, "0", dropped == 0),
        ("leaf types changed", score.leaf_types, "0", score.leaf_types == 0),
        ("separators and white space changed", score.glue, "0", score.glue == 0),
        ("equal values with one stand-in", f"{same} of {often}", "all", same == often),
        ("two values with one stand-in", collisions, "0", collisions == 0),
        ("changed by a second run", score.not_idempotent, "0", score.not_idempotent == 0),
    ]
    if speed is not None:
        rows.append((f"MB/s on payment records (told only; aim {SPEED_MIN:.0f})", speed[5], "", True))
        rows.append((f"median us per KiB of them (told only; aim {MEDIAN_US_MAX:.0f})", speed[6], "", True))
    return rows


def gate_table(rows):
    return table(["gate", "measured", "wanted", ""], [(a, b, c, "ok" if ok else "**missed**") for a, b, c, ok in rows])


def overall(columns):
    """`columns`: (title, run or None, score)."""
    head = ["engine", "bodies", "recall", "negatives altered", "broken", "dropped", "leaf types changed", "other leaves changed", "MB/s", "ms per body"]
    rows = []
    for title, run, score in columns:
        cost = (f"{run.speed:.3g}", f"{run.per_body:.3g}") if run else ("", "")
        rows.append([title, score.bodies, f"{score.recall():.3f}", percent(1 - score.negatives.good, 2), sum(score.broken.values()), sum(score.dropped.values()), score.leaf_types, percent(1 - score.stray.good, 2), *cost])
    return table(head, rows)


def by(columns, name, field, bad=False):
    """One row for each key of the tallies `field`, most frequent first."""
    first = getattr(columns[0][2], field)
    rows = []
    for key, tally in sorted(first.items(), key=lambda kv: -kv[1].total):
        cells = []
        for _, _, score in columns:
            other = getattr(score, field).get(key)
            cells.append("" if other is None or not other.total else f"{(1 - other.good) if bad else other.good:.2f}")
        rows.append([key, tally.total, *cells])
    return table([name, "n", *(c[0] for c in columns)], rows)


def formats(columns):
    first = columns[0][2].formats
    return table(["format", "n", *(c[0] for c in columns)], [[k, t.total, *(c[2].formats[k].bad if k in c[2].formats else "" for c in columns)] for k, t in sorted(first.items(), key=lambda kv: -kv[1].total)])


def markdown(facts, columns, speeds, rows):
    parts = [f"# Redaction benchmark, family `{facts['family']}`", facts["text"], overall(columns), "## Gates (darklaunch)", gate_table(rows)]
    parts += ["## Recall by type (share of values no longer readable)", by(columns, "type", "types")]
    parts += ["## Recall by placement", by(columns, "placement", "places")]
    parts += ["## Harmless values altered, by kind (share)", by(columns, "kind", "kinds", bad=True)]
    parts += ["## Documents broken or dropped, by format", formats(columns)]
    if speeds:
        parts += ["## Speed of the filter on JSON, one thread", table(["lines of", "MB", "MB/s of the processor", "MB/s on the clock", "us per body", "MB/s, redaction alone", "median us per KiB", "start-up s"], speeds)]
    return "\n\n".join(parts)


def frequent(score, most=30):
    """The most frequent kinds of misses, of altered values and of other changed leaves, with the fields' names."""
    leaks = Counter((m.what, m.name, m.placement) for m in score.leaks)
    altered = Counter((m.what, m.name, m.placement) for m in score.altered)
    damage = Counter((m.what, m.name, m.context[:60] if m.what != "not idempotent" else "") for m in score.damage)
    parts = []
    for title, head, counts in (
        ("Most frequent leaks", ["type", "field", "placement", "n"], leaks),
        ("Most frequent altered values", ["kind", "field", "placement", "n"], altered),
        ("Damage", ["what", "format", "why", "n"], damage),
    ):
        parts.append(f"## {title}\n\n" + table(head, [(*key, n) for key, n in counts.most_common(most)]))
    return "\n\n".join(parts)


def explain(score, what, most=40):
    """Examples of what leaked of a type, what was altered of a kind, or `broken`, `dropped`, `stray`, `inconsistent`, `collisions`."""
    name = what.casefold()
    lines = []
    if name == "inconsistent":
        lines = [f"{key}: {dict(score.stand_ins[key])}" for key in score.consistency()[2]]
    elif name == "collisions":
        for type_, (long, short) in score.collisions().items():
            lines.append(f"{type_}: {long} values with eight digits or more or none, {short} shorter")
            served = {}
            for (t, value), seen in score.stand_ins.items():
                for stand_in in seen if t == type_ else ():
                    served.setdefault(stand_in, []).append(value)
            lines += [f"  {s!r} for {v}" for s, v in served.items() if len(v) > 1]
    else:
        found = [m for m in (*score.leaks, *score.altered, *score.damage, *score.strays) if m.what.casefold() == name or m.placement.casefold() == name]
        lines = [f"{len(found)} of {what}"]
        lines += [f"{m.body:>10}  {m.what}  {m.name or '-'}  [{m.placement}]  {m.value!r}\n            {m.context!r}" for m in found[:most]]
    return "\n".join(lines)
