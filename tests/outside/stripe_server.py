"""Starts localstripe on loopback: its own start listens on every address and writes its store to a shared file."""

import sys

import localstripe.server
from aiohttp import web


def main():
    # The store lives as long as the process; nothing is left behind and two servers share nothing.
    localstripe.server.store.dump_to_disk = lambda: None
    web.run_app(localstripe.server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
