from http.server import BaseHTTPRequestHandler, HTTPServer

# snippet
import random
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def event_of(headers):
    at = EPOCH + timedelta(milliseconds=int(headers["x-verbatim-clock-ms"]))
    return at, random.Random(int(headers["x-verbatim-seed"]))


# end
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        at, draw = event_of(self.headers)
        answer = f"{round((at - EPOCH) / timedelta(milliseconds=1))} {draw.getrandbits(32)}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


server = HTTPServer(("127.0.0.1", 0), Handler)
print(f"listening 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
