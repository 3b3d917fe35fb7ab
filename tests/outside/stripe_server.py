"""Starts localstripe on loopback: its own start listens on every address and writes its store to a shared file."""

import logging
import socket
import sys

import localstripe.server
from aiohttp import web

SEEN = "SEEN %r | %{Authorization}i | %{Cookie}i | %{Darklaunch-Capture}i"


def main():
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    # The store lives as long as the process; nothing is left behind and two servers share nothing.
    localstripe.server.store.dump_to_disk = lambda: None
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    web.run_app(localstripe.server.app, sock=listener, print=None, access_log_format=SEEN)


if __name__ == "__main__":
    main()
