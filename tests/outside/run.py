"""Stories with servers and clients that nobody here wrote: the same calls direct and through the recorder.

Usage: run.py [--binary PATH] [--direct]
`--direct` starts no recorder and compares the servers with themselves: it checks the stories, not the product.
Ends with `N passed, N failed`; exits 1 if any failed.
"""

import argparse
import contextlib
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import bin_stories
import stripe_stories

HOST = "127.0.0.1"
START_SECONDS_MAX = 30


def free_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def wait_for(port, process, name):
    """Until the port answers: wait for the fact, with a limit."""
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with code {process.returncode} before it listened")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not listen on {HOST}:{port} within {START_SECONDS_MAX} s")


@contextlib.contextmanager
def started(name, command, port, log_folder):
    """A process on a port, ended on the way out; its log is shown if it did not start."""
    log_path = log_folder / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
    try:
        wait_for(port, process, name)
        yield
    except RuntimeError:
        print(log_path.read_text(errors="replace"), file=sys.stderr)
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def httpbin(name, port, log_folder):
    gunicorn = [sys.executable, "-m", "gunicorn", "-b", f"{HOST}:{port}", "-k", "gthread", "--threads", "16"]
    return started(name, [*gunicorn, "--keep-alive", "30", "httpbin:app"], port, log_folder)


def localstripe(name, port, log_folder):
    server = pathlib.Path(__file__).with_name("stripe_server.py")
    return started(name, [sys.executable, server, port], port, log_folder)


def recorder(binary, primary, shadow, port, folder):
    """The recorder with the smallest configuration; everything that may be mirrored is."""
    config = folder / f"recorder-{port}.toml"
    config.write_text(
        f"""[listen]
traffic = "{HOST}:{port}"
console = "{HOST}:{free_port()}"

[store]
path = "{folder / f'recorder-{port}.db'}"

[integrations.outside]
match.path_prefix = "/"
primary.url = "http://{HOST}:{primary}"
shadow.url = "http://{HOST}:{shadow}"
mirror.enabled = true
mirror.sample = "100%"
"""
    )
    return started(f"recorder-{port}", [binary, "run", "--config", config], port, folder)


def tell(name, story, *parts):
    """Runs one story; True if it held."""
    try:
        story(*parts)
    except Exception:  # a story that breaks is a failed story, and the next one still runs
        print(f"FAIL {name}")
        traceback.print_exc()
        return False
    print(f"PASS {name}")
    return True


def run_servers(server, stories, arguments, folder):
    """Starts primary, shadow and recorder, and runs every story against (direct, through)."""
    primary, shadow, through = free_port(), free_port(), free_port()
    name = server.__name__
    with contextlib.ExitStack() as stack:
        stack.enter_context(server(f"{name}-primary", primary, folder))
        stack.enter_context(server(f"{name}-shadow", shadow, folder))
        if arguments.direct:
            through = primary
        else:
            stack.enter_context(recorder(arguments.binary, primary, shadow, through, folder))
        return [tell(f"{name}: {title}", story, (HOST, primary), (HOST, through)) for title, story in stories()]


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=root / "target" / "debug" / "darklaunch", type=pathlib.Path)
    parser.add_argument("--direct", action="store_true")
    arguments = parser.parse_args()
    held = []
    with tempfile.TemporaryDirectory() as folder:
        for server, stories in [(httpbin, bin_stories.stories), (localstripe, stripe_stories.stories)]:
            try:
                held += run_servers(server, stories, arguments, pathlib.Path(folder))
            except RuntimeError as error:
                print(f"FAIL {server.__name__}: {error}")
                held.append(False)
    failed = held.count(False)
    print(f"{len(held) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
