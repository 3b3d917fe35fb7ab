"""What is measured: a scenario is a list of cells, its contenders interleaved within each repeat."""

import os
import shutil
import subprocess
import tempfile

import prepare
from cells import Load

WORKLOADS = {
    "GET 1 KiB": {},
    "POST 1 KiB": {"post": 1024},
    "POST 64 KiB": {"post": 65536, "answer": 65536},
}
RATES = (1000, 2000)
FAULTS = ("ok", "slow", "stall", "refuse", "reset", "reset_mid", "drip", "error", "down_and_back")
PLAIN = ["direct", "nginx", "nginx_mirror", "envoy", "envoy_mirror", "haproxy"]
OURS = ["darklaunch_off", "darklaunch_rec"]
MIRRORS = ["nginx_mirror", "envoy_mirror"]
CONSOLE_LOOPS = 20


class Plan:
    """How long and how often. Quick runs leave out what takes longest, not any scenario."""

    def __init__(self, quick, repeats, seconds):
        self.quick = quick
        self.repeats = repeats or (1 if quick else 5)
        self.seconds = seconds or (1.5 if quick else 3.0)
        self.stall_s = 8 if quick else 30
        self.search_steps = 6 if quick else 8
        self.faults = [f for f in FAULTS if f != "ok"] if quick else list(FAULTS)
        self.long_repeats = 1 if quick else min(self.repeats, 3)


def run_all(bench, plan, only):
    """Cells of every scenario, as a list of results with `scenario`, `case` and `repeat`."""
    results = []
    for name, scenario in SCENARIOS.items():
        if only and name not in only:
            continue
        repeats = plan.long_repeats if name in ("stall", "recovery") else plan.repeats
        for repeat in range(repeats):
            prepare.say(f"{name}: repeat {repeat + 1} of {repeats}")
            for case, contender, found in scenario(bench, plan):
                if found is None:
                    continue
                results.append({"scenario": name, "case": case, "repeat": repeat, **found})
                prepare.say(f"  {case:14} {contender:16} {line(found)}")
    return results


def line(found):
    load = found["load"]
    bad = load["failed"] + load["unfinished"]
    text = f"{load['calls_per_s']:9.0f}/s  p50 {load['p50_us']:9.1f} us  p99 {load['p99_us']:11.1f} us"
    return text + (f"  {bad} failed or unfinished" if bad else "") + f"  foreign {found['foreign_share']:.0%}"


def here(bench, names):
    """The contenders that can be had."""
    from contenders import NEEDS

    return [name for name in names if NEEDS[name] is None or NEEDS[name] in bench.found]


def saturation(bench, plan):
    for case, workload in WORKLOADS.items():
        for name in here(bench, [*PLAIN, "mitmproxy", *OURS]):
            yield case, name, bench.cell(name, Load(seconds=plan.seconds, **workload))


def everything(bench, plan):
    """The highest rate at which nothing is shed, found by halving, beside the peers at saturation."""
    found = {name: bench.cell(name, Load(post=1024, seconds=plan.seconds)) for name in here(bench, [*MIRRORS, "mitmproxy"])}
    for name, result in found.items():
        yield "POST 1 KiB", name, result
    low, high, best = 250, 64_000, None
    for _ in range(plan.search_steps):
        rate = int((low * high) ** 0.5)
        result = bench.cell("darklaunch_all", Load(post=1024, rate=rate, seconds=plan.seconds))
        if result is None:
            break
        load, ledger = result["load"], result["ledger"]
        # What is still under way when the load ends is work put off: it may be no more than a commit's worth.
        kept_up = result["drained_s"] <= 0.5 + 0.1 * plan.seconds
        served = load["calls_per_s"] >= 0.97 * rate and not load["failed"] and not load["unfinished"]
        if served and kept_up and not ledger["not_mirrored"] and not ledger["not_recorded"]:
            low, best = rate, result
        else:
            high = rate
        prepare.say(f"  {rate}/s: {'kept up' if low == rate else 'did not keep up'}")
    if best is None:
        prepare.say("NOT MEASURED: darklaunch_all kept up at no rate that was tried")
    else:
        yield "POST 1 KiB", "darklaunch_all", best


def fixed(bench, plan):
    for rate in RATES:
        for name in here(bench, [*PLAIN, *OURS]):
            yield f"{rate}/s", name, bench.cell(name, Load(post=1024, rate=rate, seconds=plan.seconds))


def faults(bench, plan):
    for fault in plan.faults:
        load = Load(post=1024, rate=1000, seconds=plan.seconds)
        whole = load.warmup + load.seconds
        for name in here(bench, ["darklaunch_off", "darklaunch_rec", *MIRRORS]):
            if fault == "down_and_back":
                steps = [(whole / 3, set_mode("refuse")), (whole * 2 / 3, set_mode("ok"))]
                yield fault, name, bench.cell(name, load, timeline=steps)
            else:
                yield fault, name, bench.cell(name, load, mode=fault)


def set_mode(mode):
    return lambda cell: cell.bench.shadow.mode(mode)


def disk(bench, plan):
    """A store on a file system that is full but for a few pages."""
    load = Load(post=1024, rate=1000, seconds=plan.seconds)
    for name in ("darklaunch_off", "darklaunch_rec"):
        with FullDisk(bench.work) as full:
            found = bench.cell(name, load, store_folder=full.folder, before=full.fill, lossy=True)
        yield "disk full", name, found


class FullDisk:
    def __init__(self, work):
        self.folder = tempfile.mkdtemp(prefix="full-", dir=work)

    def __enter__(self):
        prepare.run(["mount", "-t", "tmpfs", "-o", "size=16m", "darklaunch-bench", self.folder])
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill(self, _contender):
        with open(os.path.join(self.folder, "filler"), "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(64 << 10))
            except OSError:
                pass


def can_mount():
    folder = tempfile.mkdtemp()
    try:
        prepare.run(["mount", "-t", "tmpfs", "-o", "size=1m", "darklaunch-bench", folder])
        prepare.run(["umount", folder])
        return True
    except (RuntimeError, OSError):
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def console(bench, plan):
    load = Load(post=1024, rate=1000, seconds=plan.seconds)

    def browsers(contender):
        seconds = str(load.seconds + load.warmup)
        # With the least priority: the browsers' own work on this machine is not the console's.
        command = ["nice", "-n", "19", prepare.TOOL, "load", "--server", f"127.0.0.1:{contender.console}", "--path", "/"]
        return command + ["--connections", str(CONSOLE_LOOPS), "--seconds", seconds, "--warmup", "0"]

    yield "console", "darklaunch_off", bench.cell("darklaunch_off", load)
    yield "console", "darklaunch_rec", bench.cell("darklaunch_rec", load, beside=browsers)


def stall(bench, plan):
    load = Load(post=1024, rate=1000, seconds=plan.stall_s)
    for name in here(bench, ["darklaunch_off", "darklaunch_rec", *MIRRORS]):
        yield f"{plan.stall_s} s", name, bench.cell(name, load, mode="stall")


def recovery(bench, plan):
    load = Load(post=1024, rate=1000, seconds=10, warmup=1)
    for name in here(bench, ["darklaunch_off", "darklaunch_rec", *MIRRORS]):
        steps = [
            (3.0, set_mode("stall")),
            (7.0, set_mode("ok")),
            (8.0, lambda cell: cell.mark("again")),
            (10.0, lambda cell: cell.mark("later")),
        ]
        found = bench.cell(name, load, timeline=steps)
        if found is None:
            continue
        marks, windows = found["marks"], found["load"]["windows"]
        if "later" in marks:
            took = marks["later"]["at_s"] - marks["again"]["at_s"]
            found["copies_again"] = (marks["later"]["received"] - marks["again"]["received"]) / (took * load.rate)
        # Windows count from the end of the warm-up: the stall lasts from 2 to 6 s.
        found["onset_p99_us"] = max((w["p99_us"] for w in windows if 2000 <= w["at_ms"] < 6000), default=0)
        found["recovery_p99_us"] = max((w["p99_us"] for w in windows if w["at_ms"] >= 6000), default=0)
        yield "4 s of stall", name, found


SCENARIOS = {
    "saturation": saturation,
    "everything": everything,
    "fixed": fixed,
    "faults": faults,
    "stall": stall,
    "recovery": recovery,
    "disk": disk,
    "console": console,
}
