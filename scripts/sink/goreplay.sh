#!/bin/sh
# GoReplay listens beside the application and repeats what it sees to darklaunch.
# NOT TESTED here: GoReplay is in neither Debian nor PyPI. The flags are those of GoReplay 1.3.
#   8000  where plain HTTP arrives (GoReplay reads no TLS)     8080  darklaunch (listen.traffic)
# It needs root or CAP_NET_RAW. Requests over about 200 kB may be missed, and it does not count them: compare darklaunch's
# `arrived` with the count of the server itself.
#   --http-original-host     keeps the Host, so that match.host works; GoReplay replaces it by default
#   --output-http-workers    bounds what is otherwise unbounded
exec gor --input-raw :8000 \
  --output-http http://127.0.0.1:8080 \
  --http-original-host \
  --output-http-workers 16
