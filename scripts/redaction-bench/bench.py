"""The redaction benchmark: makes a corpus with planted truth, redacts it, and says what can still be read, what harmless was
changed and what broke; Presidio beside it on the same bodies. Ends with 1 when a gate is missed."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import corpus
import engines
import payments
import report
import score

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"))
# Bodies of which the corpus for the speed is made, by repeating them.
SPEED_BODIES = 1500
# Payment records of which the other one is made.
SPEED_RECORDS = 2000
# A body of about this size stands for a page of a list.
PAGE = 64 * 1024


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/redaction-bench/run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another corpus for each [1]")
    parser.add_argument("--bodies", type=int, default=2000, metavar="N", help="how many [2000]")
    parser.add_argument("--family", choices=sorted(corpus.FAMILIES), default="tune", help="names and shapes [tune]")
    parser.add_argument("--presidio", type=int, default=1000, metavar="N", help="of how many bodies Presidio is asked too; 0 for none [1000]")
    parser.add_argument("--speed", type=int, default=50, metavar="MB", help="size of the JSON for the speed; 0 for none [50]")
    parser.add_argument("--rules", metavar="DIR", help="a folder of rules in place of those built in")
    parser.add_argument("--binary", metavar="FILE", help="a built darklaunch in place of building it")
    parser.add_argument("--explain", action="append", default=[], metavar="WHAT", help="examples for a type, kind or placement, or `broken`, `dropped`, `not idempotent`, `stray`, `inconsistent`, `collisions`, `frequent`; not of the family held-out")
    parser.add_argument("--body", action="append", default=[], metavar="ID", help="prints a body, its output and its truth; not of the family held-out")
    parser.add_argument("--json", metavar="FILE", help="writes the figures there too")
    parser.add_argument("--dump", metavar="FILE", help="writes the corpus with its truth, one body a line, and ends")
    args = parser.parse_args()
    if args.family == "held-out" and (args.explain or args.body):
        parser.error("rules are not to be fitted to the family held-out: only its totals are told")
    return args


def build(args):
    if args.binary:
        return args.binary
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", "--bin", "darklaunch"], cwd=ROOT, check=True)
    return os.path.join(TARGET, "release", "darklaunch")


def self_check(bodies, args):
    """A scorer that is wrong must not be believed."""
    nothing = score.score(bodies, engines.identity(bodies))
    perfect = engines.identity(corpus.bodies(args.seed, args.bodies, args.family, corpus.scrambled))
    everything = score.score(bodies, perfect)
    wrong = [
        *(f"identity: recall {nothing.recall():.4f}" for _ in range(nothing.planted.bad != nothing.planted.total)),
        *(f"identity: {nothing.negatives.bad} altered" for _ in range(nothing.negatives.bad > 0)),
        *(f"oracle: recall {everything.recall():.4f}, first leak {everything.leaks[0]}" for _ in range(everything.planted.bad > 0)),
        *(f"oracle: {everything.altered[0]}" for _ in range(everything.negatives.bad > 0)),
        *(f"oracle: {everything.damage[0]}" for _ in range(len(everything.damage) > 0)),
        *(f"oracle: {everything.strays[0]}" for _ in range(everything.stray.bad > 0)),
    ]
    if wrong:
        sys.exit("the scorer disagrees with what is known:\n" + "\n".join(wrong))
    return nothing, everything


def speeds(filter_, seed, family, megabytes):
    """Rows of the table of speed: payment records, the corpus's own small bodies, and pages of many. The start-up is taken
    off the whole process; what the filter tells is of redaction alone."""
    texts = [b.text for b in corpus.bodies(seed, SPEED_BODIES, family) if b.kind == "json" and b.charset == "utf-8"]
    pages, page = [], []
    for text in texts * 4:
        page.append(text)
        if sum(map(len, page)) > PAGE:
            pages.append("[" + ",".join(page) + "]")
            page = []
    start_up = filter_.start_up()
    rows = []
    paid = payments.records(seed, SPEED_RECORDS, corpus.FAMILIES[family])
    for title, documents in (("payment record", paid), ("one body", texts), ("64 KiB", pages or [f"[{','.join(texts)}]"])):
        size = sum(len(t.encode()) for t in documents)
        repeats = max(1, round(megabytes * 1e6 / size))
        documents = documents * repeats
        lines = (json.dumps({"id": at, "content_type": "application/json", "body": t}, ensure_ascii=False) for at, t in enumerate(documents))
        run = filter_.lines(lines, size * repeats)
        cpu = max(run.cpu - start_up, 1e-9)
        rows.append((f"{title}, {size // (len(documents) // repeats)} B", f"{run.size / 1e6:.1f}", f"{run.size / 1e6 / cpu:.1f}", f"{run.size / 1e6 / run.seconds:.1f}", f"{1e6 * cpu / len(documents):.1f}", *run.told, f"{start_up:.3f}"))
    return rows


def show(bodies, run, wanted):
    for body in bodies:
        if body.id in wanted:
            print(f"--- {body.id}: {body.content_type}\n{body.text}\n--- output\n{run.outputs[body.id]}\n--- truth")
            for one in (*body.planted, *body.negatives):
                print(one)


def main():
    args = arguments()
    bodies = corpus.bodies(args.seed, args.bodies, args.family)
    if args.dump:
        with open(args.dump, "w", encoding="utf-8") as file:
            file.writelines(b.to_json() + "\n" for b in bodies)
        return
    binary = build(args)
    nothing, _ = self_check(bodies, args)
    with tempfile.TemporaryDirectory(prefix="redaction-bench-") as folder:
        filter_ = engines.Filter(binary, folder, args.rules)
        run = filter_.run(bodies)
        ours = score.score(bodies, run.outputs, filter_.again(bodies, run.outputs))
        if args.explain or args.body:
            for what in args.explain:
                print(report.frequent(ours) if what == "frequent" else report.explain(ours, what))
            show(bodies, run, set(args.body))
            return
        columns = [("darklaunch", run, ours)]
        sample = bodies[: args.presidio]
        if sample:
            theirs = engines.Presidio().run(sample)
            if len(sample) < len(bodies):
                part = filter_.run(sample)
                columns.append((f"darklaunch, first {len(sample)}", part, score.score(sample, part.outputs)))
            columns.append((f"Presidio, first {len(sample)}" if len(sample) < len(bodies) else "Presidio", theirs, score.score(sample, theirs.outputs)))
        rows = speeds(filter_, args.seed, args.family, args.speed) if args.speed else []
    gates = report.gates(ours, rows[0] if rows else None)
    kept = ours.planted.total - sum(len(b.planted) for b in bodies if isinstance(run.outputs[b.id], tuple))
    text = (
        f"Seed {args.seed}, {len(bodies)} bodies, {sum(len(b.text.encode()) for b in bodies) / 1e6:.2f} MB, {ours.planted.total} planted values of {len(ours.types)} types in "
        f"{len(ours.places)} placements, {nothing.negatives.total} harmless values of {len(nothing.kinds)} kinds; sha256 {corpus.digest(bodies)[:16]}. Self-check: identity 0 % recall and 0 altered, "
        f"oracle 100 % and 0. Dropped bodies leak nothing but count as broken; without them recall is {1 - ours.planted.bad / max(kept, 1):.3f}."
    )
    print(report.markdown({"family": args.family, "text": text}, columns, rows, gates))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"family": args.family, "seed": args.seed, "gates": [{"gate": a, "measured": b, "wanted": c, "passed": ok} for a, b, c, ok in gates]}, file, indent=1, default=str)
    missed = [g[0] for g in gates if not g[3]]
    print(f"\n{len(gates) - len(missed)} gates met, {len(missed)} missed" + (": " + ", ".join(missed) if missed else ""))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
