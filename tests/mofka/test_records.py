#!/usr/bin/env python3
"""Messages that cannot be used, over a crash: what came and why it was rejected is the
same in journal, recording, resumed log and replay."""
import json
import os
import signal

from broker import harness
from service import Service

TOO_LONG = b"[" + b"7," * 1500000 + b"7]"
UNUSABLE = [b"{broken", b"", b'{"finding_type":"\xff\xfe"}', b"[1,2]", b'{"knobs":{}}',
            "nicht g\u00fcltig \u2028".encode(), TOO_LONG]


def raw(line):
    """The bytes of a message that was rejected, as a line of a journal keeps them."""
    return (line["raw"].encode() if "raw" in line else
            bytes.fromhex(line["raw_hex"]) if "raw_hex" in line else None)


class Records(Service):
    def lines(self, name):
        return [json.loads(x) for x in self.read(name).splitlines()
                if os.path.exists(self.path(name))]

    def crash(self, args, n):
        """A service that has received n records, and flushed none of them, is killed."""
        running = self.start(args)

        def received():
            journal = self.path("run.h5.journal")
            return os.path.exists(journal) and self.read("run.h5.journal").count(b"\n") >= n
        harness.wait_until(received, 60, "a journal")
        running.process.send_signal(signal.SIGKILL)
        running.finish()

    def check(self, lines):
        kept = [raw(x) for x in lines if raw(x) is not None]
        self.assertEqual(len(kept), len(UNUSABLE))
        for sent, text in zip(UNUSABLE, kept):
            if sent is TOO_LONG: # its beginning
                self.assertGreater(len(text), 1000)
                sent = sent[:len(text)]
            self.assertEqual(text, sent)

    def test_unusable_records_survive_a_crash(self):
        b = self.broker(legacy=True) # where a killed consumer does not wedge the topic
        b.push("registry", [harness.loader_registration()], "registration")
        b.push_events("findings", [({"type": "diagnosis_finding"}, x) for x in (
            json.dumps(harness.finding(1, "n1")), *UNUSABLE,
            json.dumps(harness.finding(9, "n1")))])
        total = len(UNUSABLE) + 3
        args = self.args(b, "--log-flush-interval", "3600")
        self.crash([*args, "--idle-timeout", "never"], total)
        journal = self.lines("run.h5.journal")
        self.check(journal)

        args[args.index("--decision-log")] = "--resume"
        r, done = self.run_service(args)
        self.assertEqual((done["records"], done["recognised"], done["invalid"]),
                         (total, total, len(UNUSABLE)), r.brief)
        self.check(self.lines("run.jsonl"))
        rejects = self.rejects("run")
        self.assertEqual([x["line"] for x in rejects], list(range(1, len(UNUSABLE) + 1)))
        for x in rejects:
            self.assertRegex(x["origin"], r"^mofka:findings/0@[0-9a-f-]{36}$")
            self.assertEqual(x["stream"], "finding")

        again = self.replayed_the_same()
        self.assertEqual([e["error"] for e in again.named("optimizer.record.invalid")],
                         [x["reason"] for x in rejects])

        # and as one would reject them that was never interrupted
        r, _ = self.run_service(self.args(b, "--consumer-name", "another", name="whole"))
        self.assertEqual([e["error"] for e in r.named("optimizer.record.invalid")],
                         [x["reason"] for x in rejects])
        self.assertEqual(self.read("whole.jsonl"), self.read("run.jsonl"))


if __name__ == "__main__":
    harness.main()
