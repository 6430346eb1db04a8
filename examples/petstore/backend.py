"""A pet store in memory, to stand behind the API: `python backend.py [port]`."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PETS = {1: {"id": 1, "type": "dog", "price": 249.99}, 2: {"id": 2, "type": "cat", "price": 124.99}}


class PetStore(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_GET(self):
        url = urlsplit(self.path)
        wanted = parse_qs(url.query).get("type")
        match url.path.strip("/").split("/"):
            case ["pets"]:
                self.answer(200, [pet for pet in PETS.values() if not wanted or pet["type"] in wanted])
            case ["pets", number] if number.isdecimal() and int(number) in PETS:
                self.answer(200, PETS[int(number)])
            case _:
                self.answer(404, {"message": "no such pet"})

    def do_POST(self):
        pet = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        pet = {"id": max(PETS) + 1, **pet}
        PETS[pet["id"]] = pet
        self.answer(201, pet)

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8090), PetStore).serve_forever()
