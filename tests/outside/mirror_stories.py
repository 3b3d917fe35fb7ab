"""What the shadow really got, by its own access log, against what the recorder says it did."""

import json
import time
import urllib.request

SETTLE_SECONDS_MAX = 60


class Mirror:
    """The recorder's console and the shadow's access log."""

    def __init__(self, console, shadow_log):
        self.console = console
        self.shadow_log = shadow_log

    def status(self):
        """The integration's part of the status, once nothing is pending and all that was mirrored is recorded."""
        until = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            with urllib.request.urlopen(f"http://{self.console}/api/v1/status", timeout=10) as answer:
                (one,) = json.load(answer)["integrations"]
            ledger = one["ledger"]
            if ledger["pending"] == 0 and one["recorded"] == sum(ledger["mirrored"].values()):
                return one
            assert time.monotonic() < until, f"not settled: {one}"
            time.sleep(0.1)

    def seen(self):
        """What the shadow saw: request line, Authorization, Cookie, capture id (`-`: none)."""
        lines = self.shadow_log.read_text(errors="replace").splitlines()
        return [line.removeprefix("SEEN ").split(" | ") for line in lines if line.startswith("SEEN ")]


def the_ledger_adds_up(mirror):
    one = mirror.status()
    ledger = one["ledger"]
    mirrored, refused = (sum(ledger[part].values()) for part in ("mirrored", "not_mirrored"))
    assert ledger["adds_up"] and ledger["arrived"] == mirrored + refused, one
    assert sum(one["primary"].values()) == ledger["arrived"], f"not every call reached the primary: {one}"
    assert one["not_recorded"] == {}, one


def the_shadow_saw_what_was_counted(mirror):
    """Every call that is counted as mirrored is in the shadow's own log, once, under its own capture id."""
    one = mirror.status()
    ids = [capture for *_, capture in mirror.seen()]
    assert "-" not in ids and len(set(ids)) == len(ids), ids
    assert len(ids) == sum(one["ledger"]["mirrored"].values()) > 0, (len(ids), one)


def only(methods, reason):
    """Nothing but these was mirrored, and the rest is counted under its reason."""

    def story(mirror):
        got = {line.split(" ")[0] for line, *_ in mirror.seen()}
        assert got == methods, got
        assert mirror.status()["ledger"]["not_mirrored"][reason] > 0, mirror.status()

    return story


def saw(line):
    def story(mirror):
        lines = [line for line, *_ in mirror.seen()]
        assert line in lines, lines

    return story


def credentials(allowed):
    """The shadow saw no Authorization but this one, and no cookie."""

    def story(mirror):
        got = {(authorization, cookie) for _, authorization, cookie, _ in mirror.seen()}
        assert got == {(allowed, "-")}, got

    return story
