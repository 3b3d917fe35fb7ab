"""httpbin behind gunicorn: each call direct and through the recorder, compared byte by byte."""

import http.client
import json
import socket
import time

from mirror_stories import credentials, only, saw, the_ledger_adds_up, the_shadow_saw_what_was_counted

# Every call shall be mirrored, also after an error: the errors of /status are asked for.
MORE = """
mirror.rate = "1000/s"
mirror.in_flight = 256
breaker.failures_share = "100%"
"""
TIMEOUT_SECONDS = 30
# They describe the connection or the moment, not the answer.
HEADERS_OF_THE_HOP = {"date", "connection", "keep-alive", "transfer-encoding"}
MEBIBYTE = 1 << 20


def pieces():
    for number in range(50):
        yield f"piece {number} ".encode() * 100


CALLS = [
    ("get", "GET", "/get?a=1&a=2&b=%2F+x", {}, None),
    *[(f"status {code}", "GET", f"/status/{code}", {}, None) for code in (200, 204, 304, 400, 404, 418, 429, 500, 503)],
    ("gzip", "GET", "/gzip", {"Accept-Encoding": "gzip"}, None),
    ("deflate", "GET", "/deflate", {"Accept-Encoding": "deflate"}, None),
    ("brotli", "GET", "/brotli", {"Accept-Encoding": "br"}, None),
    ("drip", "GET", "/drip?numbytes=20&duration=1", {}, None),
    ("stream of bytes", "GET", "/stream-bytes/20000?seed=1", {}, None),
    ("stream of lines", "GET", "/stream/5", {}, None),
    ("delay", "GET", "/delay/1", {}, None),
    ("redirect passed through", "GET", "/redirect/2", {}, None),
    ("cookies set", "GET", "/cookies/set?first=1&second=2", {}, None),
    ("cookies sent", "GET", "/cookies", {"Cookie": "first=1; second=2"}, None),
    ("repeated headers", "GET", "/response-headers?X-Many=1&X-Many=2&X-Many=3", {}, None),
    ("post of 1 MiB", "POST", "/post", {"Content-Type": "text/plain"}, b"x" * MEBIBYTE),
    ("chunked upload", "PUT", "/put", {"Content-Type": "text/plain"}, pieces),
    ("bytes", "GET", "/bytes/100000?seed=2", {}, None),
    ("head", "HEAD", "/get", {}, None),
    ("delete", "DELETE", "/delete", {}, None),
    ("options", "OPTIONS", "/get", {}, None),
    ("unauthorized", "GET", "/basic-auth/user/word", {}, None),
    ("authorized", "GET", "/basic-auth/user/word", {"Authorization": "Basic dXNlcjp3b3Jk"}, None),
    ("not modified", "GET", "/etag/abc", {"If-None-Match": "abc"}, None),
    ("range", "GET", "/range/1000", {"Range": "bytes=10-19"}, None),
    ("encoded path", "GET", "/anything/a%20b//c%2Fd?x=%25", {}, None),
]

# None of them repeats the request's headers, which differ in the connection's own.
HEADS = [
    ("GET", "/ip"),
    ("GET", "/response-headers?X-Many=1&x-mAnY=2&X-Other=3&X-Many=4"),
    ("GET", "/cookies/set?first=1&second=2"),
    ("GET", "/stream-bytes/2000?seed=1"),
    ("HEAD", "/ip"),
    ("HEAD", "/stream-bytes/2000?seed=1"),
    ("GET", "/status/204"),
    ("GET", "/status/304"),
    ("GET", "/redirect/1"),
    ("GET", "/gzip-is-not-here"),
]


def ask(connection, method, target, headers, body):
    """One call, with the Host that the way asks for: httpbin repeats it, so the primary must get its own."""
    if callable(body):
        body = body()
    connection.request(method, target, body=body, headers={"Accept-Encoding": "identity", **headers})
    answer = connection.getresponse()
    return answer, answer.read()


def seen(answer, body):
    """What a client can tell: status, reason, end-to-end headers in order for each name, body."""
    headers = [(name.lower(), value) for name, value in answer.getheaders()]
    headers = sorted((pair for pair in headers if pair[0] not in HEADERS_OF_THE_HOP), key=lambda pair: pair[0])
    return {"status": answer.status, "reason": answer.reason, "headers": headers, "body": body}


def same(direct, through, title):
    for part, expected in direct.items():
        assert through[part] == expected, f"{title}: {part}: direct {expected!r:.400}, through {through[part]!r:.400}"


def compare(method, target, headers, body, title):
    def story(direct, through):
        answers = []
        for place in (direct, through):
            connection = http.client.HTTPConnection(*place, timeout=TIMEOUT_SECONDS)
            answers.append(seen(*ask(connection, method, target, headers, body)))
            connection.close()
        same(*answers, title)

    return story


def one_connection(direct, through):
    """200 calls on one connection that must stay open."""
    answers = []
    for place in (direct, through):
        connection = http.client.HTTPConnection(*place, timeout=TIMEOUT_SECONDS)
        connection.connect()
        socket_of_first = connection.sock
        mine = []
        for number in range(200):
            mine.append(seen(*ask(connection, "GET", f"/get?n={number}", {}, None)))
            assert connection.sock is socket_of_first, f"the connection was closed after call {number}"
        connection.close()
        answers.append(mine)
    for number, (expected, got) in enumerate(zip(*answers, strict=True)):
        same(expected, got, f"call {number}")


def pipelined(direct, through):
    """Five requests written at once: five answers, in order."""
    lines = ["GET /get?n={} HTTP/1.1", "Host: bin.example", "", ""]
    requests = "".join("\r\n".join(lines).format(number) for number in range(5)).encode()
    with socket.create_connection(through, timeout=TIMEOUT_SECONDS) as link:
        link.sendall(requests)
        reader = link.makefile("rb")
        for number in range(5):
            assert reader.readline().startswith(b"HTTP/1.1 200"), f"answer {number}"
            length = 0
            while (line := reader.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            document = json.loads(reader.read(length))
            assert document["args"] == {"n": str(number)}, document


def on_the_wire(place, request, after_100=None):
    """The head's lines and the body that come back for these bytes until the connection ends."""
    with socket.create_connection(place, timeout=TIMEOUT_SECONDS) as link:
        link.sendall(request)
        if after_100 is not None:
            interim = b""
            while not interim.endswith(b"\r\n\r\n"):
                interim += link.recv(1)
            assert interim.startswith(b"HTTP/1.1 100 "), interim
            link.sendall(after_100)
        with link.makefile("rb") as reader:
            head, _, body = reader.read().partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), body


def same_head(method, target):
    """The head's lines are the same to the byte: their order, case and repetition."""

    def story(direct, through):
        request = f"{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        heads = []
        for way in (direct, through):
            lines, _ = on_the_wire(way, request)
            heads.append([line for line in lines if line.partition(":")[0].lower() not in HEADERS_OF_THE_HOP])
        assert heads[0] == heads[1], f"direct {heads[0]}\nthrough {heads[1]}"

    return story


def continues(direct, through):
    """A client that waits for 100 before it sends its body gets it."""
    head = b"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    for way in (direct, through):
        lines, body = on_the_wire(way, head, b"hello")
        assert lines[0] == "HTTP/1.1 200 OK" and json.loads(body)["data"] == "hello", (way, lines, body)


def streams_as_it_is_sent(_direct, through):
    """The first dripped byte comes well before the last: nothing waits for a whole body."""
    connection = http.client.HTTPConnection(*through, timeout=TIMEOUT_SECONDS)
    connection.request("GET", "/drip?numbytes=4&duration=4&delay=0")
    answer = connection.getresponse()
    pieces = []
    while piece := answer.read1(100):
        pieces.append((time.monotonic(), len(piece)))
    ended = time.monotonic()
    connection.close()
    assert sum(size for _, size in pieces) == 4 and len(pieces) > 1, f"the body came as {pieces}"
    assert ended - pieces[0][0] > 1, f"the first piece came {ended - pieces[0][0]:.2f} s before the end"


def stories():
    for title, method, target, headers, body in CALLS:
        yield title, compare(method, target, headers, body, title)
    yield "many calls on one connection", one_connection
    yield "pipelined", pipelined
    yield "streams as it is sent", streams_as_it_is_sent
    yield "continues after 100", continues
    for method, target in HEADS:
        yield f"the same head: {method} {target}", same_head(method, target)


def mirror_stories():
    yield "the ledger adds up", the_ledger_adds_up
    yield "the shadow saw what was counted", the_shadow_saw_what_was_counted
    yield "the target is mirrored as it came", saw("GET /get?a=1&a=2&b=%2F+x HTTP/1.1")
    yield "only safe methods are mirrored", only("GET ", "HEAD ")
    yield "no credential reaches the shadow", credentials("-")
