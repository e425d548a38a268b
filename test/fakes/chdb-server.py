"""The engine of a current ClickHouse (chdb) behind the HTTP interface, as far as @clickhouse/client uses it: chdb itself has none.

Usage: chdb-server.py FOLDER. Says its port on the first line, and ends when its input does.
"""

import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb import session

folder = sys.argv[1]
engine = session.Session(os.path.join(folder, "data"))
one_at_a_time = threading.Lock()
# What steers the HTTP interface and not the query.
OF_HTTP = {"query", "query_id", "wait_end_of_query", "database", "session_id", "enable_http_compression", "role"}


def answer(parameters, body):
    query = parameters.get("query") or body.decode()
    with one_at_a_time:
        for name, value in parameters.items():
            if name not in OF_HTTP:
                engine.query(f"SET {name} = {value}")
        insert = re.fullmatch(r"\s*(INSERT INTO \S+ \((.*?)\)) FORMAT Native\s*", query, re.S)
        if insert:
            path = os.path.join(folder, "block.native")
            with open(path, "wb") as file:
                file.write(body)
            engine.query(f"{insert[1]} SELECT {insert[2]} FROM file('{path}', 'Native')")
            return b""
        asked = re.fullmatch(r"(.*) FORMAT Native\s*", query, re.S)
        result = engine.query(asked[1] if asked else query, "Native" if asked else "CSV")
        return bytes(result.bytes() or b"")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.body()
        try:
            self.reply(200, answer(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)), body))
        except Exception as error:
            self.reply(500, str(error).encode())

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def reply(self, status, octets):
        self.send_response(status)
        self.send_header("content-length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
# Merges may be under way, and the engine does not like to be taken down then: what it has written is thrown away.
os._exit(0)
