"""What the shadow really got, by its own access log, against what the recorder says it did."""

import json
import time
import urllib.request

SETTLE_SECONDS_MAX = 60


class Mirror:
    """The recorder's console, and the shadow with its access log."""

    def __init__(self, console, shadow, shadow_log):
        self.console = console
        self.shadow = shadow
        self.shadow_log = shadow_log

    def status(self):
        """The integration's part of the status, once nothing is pending and all that was mirrored is recorded."""

        def at_rest():
            with urllib.request.urlopen(f"http://{self.console}/api/v1/status", timeout=10) as answer:
                (one,) = json.load(answer)["integrations"]
            return one, one["ledger"]["pending"] == 0 and one["recorded"] == mirrored(one)

        return settled(at_rest)

    def seen(self):
        """What the shadow saw: request line, Authorization, Cookie, capture id (`-`: none)."""
        counted = mirrored(self.status())

        def written():
            lines = self.shadow_log.read_text(errors="replace").splitlines()
            seen = [line.removeprefix("SEEN ").split(" | ") for line in lines if line.startswith("SEEN ")]
            # A server answers first and logs then.
            return seen, len(seen) >= counted

        return settled(written)


def settled(look):
    """What `look` finds once it says that this is final: wait for the fact, with a limit."""
    until = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        found, final = look()
        if final:
            return found
        assert time.monotonic() < until, f"not settled: {found}"
        time.sleep(0.1)


def mirrored(one):
    return sum(one["ledger"]["mirrored"].values())


def the_ledger_adds_up(mirror):
    one = mirror.status()
    ledger = one["ledger"]
    assert ledger["adds_up"] and ledger["arrived"] == mirrored(one) + sum(ledger["not_mirrored"].values()), one
    assert sum(one["primary"].values()) == ledger["arrived"], f"not every call reached the primary: {one}"
    assert one["not_recorded"] == {}, one


def the_shadow_saw_what_was_counted(mirror):
    """Every call that is counted as mirrored is in the shadow's own log, once, under its own capture id."""
    one = mirror.status()
    ids = [capture for *_, capture in mirror.seen()]
    assert "-" not in ids and len(set(ids)) == len(ids), ids
    assert len(ids) == mirrored(one) > 0, (len(ids), one)


def only(*beginnings):
    """Lines that begin so, each at least once, were mirrored and nothing else; the rest is counted as such."""

    def story(mirror):
        lines = [line for line, *_ in mirror.seen()]
        assert all(line.startswith(beginnings) for line in lines), lines
        assert all(any(line.startswith(beginning) for line in lines) for beginning in beginnings), lines
        assert mirror.status()["ledger"]["not_mirrored"]["method"] > 0, mirror.status()

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
