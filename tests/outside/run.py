"""Stories with servers and clients that nobody here wrote: the same calls direct and through the recorder.

Usage: run.py [--binary PATH] [--direct]
`--direct` starts no recorder and compares the servers with themselves: it checks the stories, not the product.
Ends with `N passed, N failed`; exits 1 if any failed.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile

import alert_stories
import api_stories
import bin_stories
import browser_stories
import latency_stories
import fixture_stories
import mirror_stories
import otlp_stories
import prometheus_stories
import settings_stories
import sink_stories
import stall_stories
import stripe_stories
from processes import ANY_PORT, place, started, tell

# An access log's line, as mirror_stories reads it; stripe_server has the same for aiohttp.
SEEN = "SEEN %(r)s | %({authorization}i)s | %({cookie}i)s | %({darklaunch-capture}i)s"


def httpbin(name, folder):
    gunicorn = [sys.executable, "-m", "gunicorn", "-b", ANY_PORT, "-k", "gthread", "--threads", "16"]
    log = ["--keep-alive", "30", "--access-logfile", "-", "--access-logformat", SEEN]
    return started(name, [*gunicorn, *log, "httpbin:app"], r"Listening at: http://(\S+)", folder)


def localstripe(name, folder):
    server = pathlib.Path(__file__).with_name("stripe_server.py")
    return started(name, [sys.executable, server], r"listening on http://(\S+)\n", folder)


def recorder(binary, primary, shadow, more, folder):
    """The recorder with the smallest configuration, and `more` keys of the integration."""
    config = folder / "darklaunch.toml"
    config.write_text(
        f"""[listen]
traffic = "{ANY_PORT}"
console = "{ANY_PORT}"

[store]
path = "darklaunch.db"

[integrations.outside]
match.path_prefix = "/"
primary.url = "http://{primary}"
shadow.url = "http://{shadow}"
mirror.enabled = true
mirror.sample = "100%"
{more}
"""
    )
    pattern = r"traffic on http://(\S+)\n.*console on http://(\S+)\n"
    return started("recorder", [binary, "run", "--config", config], pattern, folder)


def run_servers(server, about, arguments, folder):
    """Starts primary, shadow and recorder, runs every story against (direct, through), then those of the mirror."""
    name = server.__name__
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        _, primary = stack.enter_context(server("primary", folder))
        shadow_log, shadow = stack.enter_context(server("shadow", folder))
        through, after = primary, []
        if not arguments.direct:
            running = recorder(arguments.binary, primary, shadow, about.MORE, folder)
            _, through, console = stack.enter_context(running)
            mirror = mirror_stories.Mirror(console, place(shadow), shadow_log)
            after = [(title, story, mirror) for title, story in about.mirror_stories()]
        stories = [(title, story, place(primary), place(through)) for title, story in about.stories()]
        return [tell(f"{name}: {title}", *parts) for title, *parts in [*stories, *after]]


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=root / "target" / "debug" / "darklaunch", type=pathlib.Path)
    parser.add_argument("--direct", action="store_true")
    arguments = parser.parse_args()
    held = []
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.direct:
            stalled = stall_stories.begin(arguments.binary, pathlib.Path(folder))
        for server, about in [(httpbin, bin_stories), (localstripe, stripe_stories)]:
            try:
                held += run_servers(server, about, arguments, pathlib.Path(folder) / server.__name__)
            except RuntimeError as error:
                print(f"FAIL {server.__name__}: {error}")
                held.append(False)
        if not arguments.direct:
            held += api_stories.run(arguments.binary, pathlib.Path(folder))
            held += browser_stories.run(arguments.binary, pathlib.Path(folder))
            held += sink_stories.run(arguments.binary, pathlib.Path(folder))
            held += latency_stories.run(arguments.binary, pathlib.Path(folder))
            held += settings_stories.run(arguments.binary, pathlib.Path(folder))
            held += fixture_stories.run(arguments.binary, pathlib.Path(folder), httpbin, localstripe)
            held += alert_stories.run(arguments.binary, pathlib.Path(folder))
            held += otlp_stories.run(arguments.binary, pathlib.Path(folder))
            held += prometheus_stories.run(arguments.binary, pathlib.Path(folder))
            held += stalled.result()
    failed = held.count(False)
    print(f"{len(held) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
