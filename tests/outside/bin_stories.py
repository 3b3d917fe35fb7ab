"""httpbin behind gunicorn: each call direct and through the recorder, compared byte by byte."""

import http.client
import json
import socket

TIMEOUT_SECONDS = 30
# They describe the connection or the moment, not the answer.
HEADERS_OF_THE_HOP = {"date", "connection", "keep-alive"}
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


def ask(connection, method, target, headers, body):
    """One call; the Host is the same on both ways, since httpbin repeats it in its answers."""
    if callable(body):
        body = body()
    sent = {"Host": "bin.example", "Accept-Encoding": "identity", **headers}
    connection.request(method, target, body=body, headers=sent)
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


def streams_at_once(_direct, through):
    """The first dripped byte comes long before the last: nothing waits for a whole body."""
    connection = http.client.HTTPConnection(*through, timeout=TIMEOUT_SECONDS)
    connection.request("GET", "/drip?numbytes=4&duration=2&delay=0")
    answer = connection.getresponse()
    sizes = []
    while piece := answer.read1(100):
        sizes.append(len(piece))
    connection.close()
    assert sum(sizes) == 4 and len(sizes) > 1, f"the body came as {sizes}"


def stories():
    for title, method, target, headers, body in CALLS:
        yield title, compare(method, target, headers, body, title)
    yield "many calls on one connection", one_connection
    yield "pipelined", pipelined
    yield "streams while it arrives", streams_at_once
