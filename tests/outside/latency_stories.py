"""The statistics against scipy and lifelines, the histograms against HdrHistogram's own Python: written there, read here,
and the other way round."""

import base64
import glob
import http.server
import json
import math
import os
import sqlite3
import subprocess
import threading
import time
import zlib

import numpy
import requests
import yaml
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from lifelines import KaplanMeierFitter
from scipy import stats

from processes import started, tell

NAME, ENDPOINT = "simulated", "GET /items/{id}"
START_S = 1_793_577_600
DAYS, CALLS = 4, 60
SHADOW, OK, TIMEOUT, TOTAL = 1, 0, 6, 3
LEVELS = {"p50": (50, 100), "p90": (90, 100), "p95": (95, 100), "p99": (99, 100), "p99.9": (999, 1000)}


def run(binary, folder):
    """Tells every story; whether each held."""
    recording = Recording(folder, binary, recorded(folder, binary))
    stories = [
        ("what Python wrote is what we read", what_python_wrote_is_read),
        ("our log opens in HdrHistogram's reader", our_log_opens_elsewhere),
        ("design effects and intervals of quantiles are scipy's", intervals_are_scipys),
        ("shares cut by a timeout are scipy's", shares_are_scipys),
        ("Kaplan-Meier is that of lifelines", kaplan_meier_is_lifelines),
        ("settings to paste are read by their languages", settings_are_read),
        ("a wall clock that is set is said, and hours are not claimed", a_set_clock_is_said),
        ("damaged and foreign histograms are refused by name", damage_is_refused),
    ]
    return [tell(f"latency: {title}", story, recording) for title, story in stories]


def recorded(folder, binary):
    """A store of ours, to which Python adds the series of another integration."""
    out = folder / "demo"
    subprocess.run([binary, "demo", "--calls", "60", "--out", out], check=True, capture_output=True, cwd=folder)
    return out / "darklaunch.db"


class Recording:
    """Four days of calls with slow episodes, cut at three seconds in the first half and at thirty in the second."""

    def __init__(self, folder, binary, store):
        self.folder, self.binary, self.store = folder, binary, store
        dice = numpy.random.default_rng(7)
        self.intervals = []
        for number in range(DAYS * 144):
            slow = 6.0 if dice.random() < 0.04 else 1.0
            total = (120_000 * slow * numpy.exp(0.6 * dice.standard_normal(CALLS))).astype(int) + 1
            total[dice.random(CALLS) < 0.01] *= 20
            limit = 3_000_000 if number < DAYS * 72 else 30_000_000
            answered, cut = total[total <= limit], int((total > limit).sum())
            self.intervals.append((START_S + number * 600, answered, [limit] * cut))
        self.write()
        self.review = self.ask("review")["endpoints"][0]
        (self.latency,) = self.ask("latency", "--what-if", "500ms", "--what-if", "2s")["sections"]

    def ask(self, command, *more):
        line = [self.binary, command, NAME, "--store", self.store, "--output", "json", *more]
        answer = subprocess.run(line, capture_output=True, check=False)
        assert answer.returncode in (0, 1, 3), answer.stderr.decode()
        return json.loads(answer.stdout)

    def write(self):
        with sqlite3.connect(self.store) as db:
            for outcome, column in [(OK, 1), (TIMEOUT, 2)]:
                series = db.execute(
                    "INSERT INTO series (integration, endpoint, role, outcome, phase) VALUES (?, ?, ?, ?, ?)",
                    (NAME, ENDPOINT, SHADOW, outcome, TOTAL),
                ).lastrowid
                for interval in self.intervals:
                    values = [int(us) for us in interval[column]]
                    if values:
                        blob = encoded(values)
                        row = (series, interval[0], 1, len(values), sum(values), min(values), max(values))
                        db.execute(
                            "INSERT INTO hist (series, t0, run, n, sum_us, min_us, max_us, crc32, blob, dur_s)"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 600)",
                            (*row, zlib.crc32(blob), blob),
                        )

    def answered(self):
        return numpy.sort(numpy.concatenate([interval[1] for interval in self.intervals]))

    def cut(self):
        return sum(len(interval[2]) for interval in self.intervals)

    def above(self, limit_us):
        """Calls above by interval, those we ended among them, and all calls."""
        counts = [(start, int((slot_top(us) > limit_us).sum()) + len(cut), len(us) + len(cut))
                  for start, us, cut in self.intervals]
        return [one for one in counts if one[2]]


def histogram(values):
    one = HdrHistogram(1, 600_000_000, 2)
    for us in values:
        one.record_value(us)
    return one


def encoded(values):
    """The V2 format without the compression around it."""
    return zlib.decompress(base64.b64decode(histogram(values).encode())[8:])


SHAPE = HdrHistogram(1, 600_000_000, 2)


def slot_top(values):
    return numpy.array([SHAPE.get_highest_equivalent_value(int(us)) for us in numpy.atleast_1d(values)])


def slot_bottom(us):
    return SHAPE.get_lowest_equivalent_value(int(us))


def design_effect(counts):
    """The largest over longer and longer clusters that is clearly larger than that of the shorter ones, and the same
    widened by Student's t for the clusters that make it."""
    n, k = sum(one[2] for one in counts), sum(one[1] for one in counts)
    p, largest, widened = k / n, 1.0, 1.0
    for length in (600, 1_800, 3_600, 14_400):
        clusters = {}
        for start, bad, calls in counts:
            kj, nj = clusters.get(start // length, (0, 0))
            clusters[start // length] = (kj + bad, nj + calls)
        j = len(clusters)
        if j < 20 or k == 0 or k == n:
            continue
        squares = [(kj - p * nj) ** 2 for kj, nj in clusters.values()]
        deff = j / (j - 1) * sum(squares) / (n * p * (1 - p))
        if deff > largest * (1 + 1.645 * math.sqrt(2 / (j - 1))):
            freedom = 4 * sum(squares) ** 2 / sum(one**2 for one in squares)
            largest, widened = deff, deff * (stats.t.isf(0.025, freedom) / stats.norm.isf(0.025)) ** 2
    return largest, widened


def at_most(k, n, p):
    """P(Binomial(n, p) <= k), between whole numbers too."""
    return 1.0 if k >= n else stats.beta.sf(p, k + 1, n - k)


def near(got, expected, within=1e-6):
    assert abs(got - expected) <= within * max(1.0, abs(expected)), f"{got} is not {expected}"


def what_python_wrote_is_read(recording):
    outcomes = recording.latency["outcomes"]
    assert outcomes == {"ok": len(recording.answered()), "timeout": recording.cut()}, outcomes
    both = numpy.concatenate([recording.answered(), *[interval[2] for interval in recording.intervals]])
    whole = numpy.sort(both)
    for rung in recording.latency["success"]["percentiles"]:
        if rung["supported"] and rung["name"] in LEVELS:
            num, den = LEVELS[rung["name"]]
            exact = whole[-(-len(whole) * num // den) - 1]
            assert rung["value_us"] == slot_top(exact)[0], f"{rung} for {exact}"


def our_log_opens_elsewhere(recording):
    log = recording.folder / "calls.hlog"
    recording.ask("latency", "--hlog", log)
    reader = HistogramLogReader(str(log), SHAPE)
    found, whole = {}, HdrHistogram(1, 600_000_000, 2)
    while one := reader.get_next_interval_histogram():
        found[one.get_tag()] = found.get(one.get_tag(), 0) + one.get_total_count()
        if one.get_tag().endswith("_ok"):
            whole.add(one)
    tag = ENDPOINT.replace(" ", "_") + "_shadow_"
    assert found == {tag + "ok": len(recording.answered()), tag + "timeout": recording.cut()}, found
    for percentile in (50, 90, 99):
        # Its rank is rounded to the nearest call, ours up: a call's difference, and their own rule here.
        rank = int(percentile * len(recording.answered()) / 100 + 0.5)
        assert whole.get_value_at_percentile(percentile) == slot_top(recording.answered()[rank - 1])[0], percentile


def intervals_are_scipys(recording):
    tops = slot_top(recording.answered())
    # A call that we ended lasted at least so long: that holds for lower ends, and nothing for upper ones.
    all_tops = numpy.concatenate([tops, slot_top([us for interval in recording.intervals for us in interval[2]])])
    edges, all_edges, n = sorted(set(tops)), sorted(set(all_tops)), len(all_tops)
    checked = 0
    for rung in recording.review["percentiles"]["rungs"]:
        if not rung["supported"] or rung["name"] not in LEVELS:
            continue
        q = LEVELS[rung["name"]][0] / LEVELS[rung["name"]][1]
        value = rung["value_us"]
        around = max(design_effect(recording.above(limit))[0] for limit in (slot_bottom(value) - 1, value))
        near(rung["design_effect"], around)

        def surely_above(us):
            counts = recording.above(us)
            _, deff = design_effect(counts)
            return at_most(sum(one[1] for one in counts) / deff, n / deff, 1 - q) <= 0.025

        high = rung["high_us"]
        if high is not None:
            at = edges.index(high)
            assert surely_above(high) and not surely_above(edges[at - 1]), f"upper end of {rung}"
            checked += 1
        low = rung["low_us"]

        def surely_below(us):
            below = slot_bottom(us) - 1
            _, deff = design_effect(recording.above(below))
            return at_most(int((all_tops <= below).sum()) / deff, n / deff, q) <= 0.025

        at = next(index for index, edge in enumerate(all_edges) if slot_bottom(edge) == low)
        assert surely_below(all_edges[at]) and not surely_below(all_edges[at + 1]), f"lower end of {rung}"
        checked += 1
    assert checked >= 6, f"only {checked} ends were there to check"


def shares_are_scipys(recording):
    for row in recording.latency["what_if"]:
        counts = recording.above(row["timeout_us"])
        k, n, (known, deff) = sum(one[1] for one in counts), sum(one[2] for one in counts), design_effect(counts)
        assert (row["cut_calls_most"], row["calls"]) == (k, n), row
        near(row["design_effect"], known)
        # Two rows are read together.
        near(row["share_high"], stats.beta.ppf(1 - 0.05 / 4, k / deff + 1, (n - k) / deff), 1e-3)
        sure = row["cut_calls"]
        near(row["share_low"], stats.beta.ppf(0.05 / 4, sure / deff, (n - sure) / deff + 1), 1e-3)


def settings_are_read(recording):
    config = recording.folder / "generous.toml"
    config.write_text(f"""[listen]
traffic = "127.0.0.1:0"
[store]
path = "{recording.store}"
[integrations.{NAME}]
match.path_prefix = "/"
shadow.url = "http://127.0.0.1:9"
review.lost_answers = "10%"
""")
    line = [recording.binary, "review", NAME, "--config", config, "--output", "json"]
    review = json.loads(subprocess.run(line, capture_output=True, check=False).stdout)
    texts = {one["client"]: (one["language"], one["text"]) for one in review["settings_to_paste"]}
    assert len(texts) == 15, list(texts)
    for client, (language, text) in texts.items():
        if language == "json":
            json.loads(text)
        elif language == "yaml":
            assert all(isinstance(part, dict) for part in yaml.safe_load_all(text)), client
        elif client == "Python requests":
            names = {"requests": requests}
            exec(compile(text, client, "exec"), names)  # our own text
            connect, read = names["timeout"]
            assert 0 < connect <= read, text
    timeout = review["endpoints"][0]["timeout"]["timeout_us"] // 1_000
    assert f"timeoutDuration: {timeout}ms" in texts["resilience4j"][1]


def kaplan_meier_is_lifelines(recording):
    answered = slot_top(recording.answered())
    cut = slot_top([us for interval in recording.intervals for us in interval[2]])
    fit = KaplanMeierFitter().fit(
        numpy.concatenate([answered, cut]),
        numpy.concatenate([numpy.ones(len(answered)), numpy.zeros(len(cut))]),
    )
    ours = recording.review["kaplan_meier"]
    near(ours["known_up_to"], 1 - fit.survival_function_.iloc[-1, 0], 1e-9)
    for name, (num, den) in LEVELS.items():
        told = fit.survival_function_["KM_estimate"]
        expected = told[told <= 1 - num / den + 1e-12]
        assert ours["quantiles_us"][name] == (int(expected.index[0]) if len(expected) else None), name


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def a_set_clock_is_said(recording):
    """The recorder runs under libfaketime, which sets its wall clock and leaves the monotonic one alone."""
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    folder = recording.folder / "clock"
    folder.mkdir()
    clock, config = folder / "clock", folder / "darklaunch.toml"
    clock.write_text("+0\n")
    faked = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    environment = os.environ | faked | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    upstream = f"http://127.0.0.1:{server.server_port}"
    config.write_text(f"""[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"
[store]
path = "{folder / 'clock.db'}"
[integrations.clock]
match.path_prefix = "/"
primary.url = "{upstream}"
shadow.url = "{upstream}"
mirror.enabled = true
mirror.sample = "100%"
""")
    pattern = r"traffic on http://(\S+)\n.*console on http://(\S+)\n"
    review = [recording.binary, "review", "clock", "--config", config, "--output", "json"]

    def coverage():
        told = subprocess.run(review, capture_output=True, text=True, check=False)
        checks = json.loads(told.stdout)["checks"] if told.stdout else []
        return next((one for one in checks if one["name"] == "coverage_in_time"), None)

    def seen(what, holds):
        until = time.monotonic() + 30
        while not ((one := coverage()) and holds(one)):
            assert time.monotonic() < until, f"{what}: {one}"
            time.sleep(0.2)
        return one

    with started("clock", [recording.binary, "run", "--config", config], pattern, folder, env=environment) as (_, traffic, _):
        requests.get(f"http://{traffic}/things/1", timeout=10)
        before = seen("a call", lambda one: one["calls"] == 1)
        assert "clock" not in json.dumps(before), before
        clock.write_text("-7200\n")
        set_back = seen("the step", lambda one: "clock was set" in json.dumps(one))
        assert set_back["verdict"] == "cannot_say" and "chrony" in set_back["next"], set_back
        assert "back by 7" in json.dumps(set_back["details"]), set_back
    server.shutdown()


def damage_is_refused(recording):
    """The last story: it damages the store."""
    foreign = HdrHistogram(1, 3_600_000_000, 3)
    foreign.record_value(5)
    foreign = zlib.decompress(base64.b64decode(foreign.encode())[8:])
    with sqlite3.connect(recording.store) as db:
        row, blob = db.execute("SELECT id, blob FROM hist ORDER BY id DESC LIMIT 1").fetchone()
    flipped = blob[:-1] + bytes([blob[-1] ^ 1])
    junk = bytes(30)
    for bad, crc, said in [
        (flipped, zlib.crc32(blob), "checksum"),
        (foreign, zlib.crc32(foreign), "digits is 3, expected 2"),
        (junk, zlib.crc32(junk), "expected 40 to"),
    ]:
        with sqlite3.connect(recording.store) as db:
            db.execute("UPDATE hist SET blob = ?, crc32 = ? WHERE id = ?", (bad, crc, row))
        for command in ("latency", "review"):
            line = [recording.binary, command, NAME, "--store", recording.store]
            refused = subprocess.run(line, capture_output=True, text=True, check=False)
            assert refused.returncode == 2 and said in refused.stderr, refused
            assert not refused.stdout, "a figure is shown without what is damaged"
