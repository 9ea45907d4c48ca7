"""Peers that connect and then say nothing, half of something, or nonsense: the others
are served as ever, and the service ends when it is told to."""
import socket

import online  # first: it finds harness
from harness import Case, main
from online import App, Service

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
PEERS = {"silent": b"", "half a greeting": GREETING[:20], "a greeting": GREETING,
         "half a frame": GREETING + b"\x04\x19\x05READY" + bytes(3),
         "nonsense": bytes(range(256)) * 64,
         "a frame of 8 EiB": GREETING + b"\x06" + b"\x7f" + b"\xff" * 7}


class Stall(Case):
    def connect(self, endpoint, logged):
        host, _, port = endpoint.rpartition("/")[2].rpartition(":")
        s = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(s.close)
        s.sendall(logged)
        return s

    def test_others_are_served(self):
        service = Service("--linger", "0.1", "--decision-log", self.path("log.h5"),
                          at=online.held_endpoints(self))
        self.addCleanup(service.kill)
        service.listening()
        peers = [self.connect(service.at[stream], logged)
                 for stream in online.STREAMS for logged in PEERS.values()]
        app = App(self.path("app"), "node1", service.at, findings=True)
        self.addCleanup(app.kill)
        app.wait_for_plans(service, 5)
        r = service.stop()
        self.assertEqual(r.code, 0, r.brief)
        self.assertEqual(app.finish(), 0)
        self.assertEqual(len(peers), len(online.STREAMS) * len(PEERS))


if __name__ == "__main__":
    main()
