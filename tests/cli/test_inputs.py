"""The forms an input may have, and inputs that cannot be read at all."""
import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import threading
import unittest
import zipfile

import harness
from harness import (RANKS, Case, event, finding, lines, loader_registration,
                     plans_without_ids, run, run_as_nobody, run_each, session)


class Inputs(Case):
    @classmethod
    def setUpClass(cls):
        cls.findings = [finding(w, f"n{n}", severity_score=0.9 - n / 10)
                        for w in range(1, 13) for n in range(5)]
        cls.log = session(nodes=3, windows=24)

    def setUp(self):
        super().setUp()
        self.registry = self.write("registry.json", json.dumps([loader_registration()]))

    def plans(self, files, stdin=None, ranks=None, registry=True, more=()):
        args = [*more, "--plans-file", "-"]
        if registry:
            args += ["--registry-file", self.registry]
        for f in files:
            args += ["--findings-file", f]
        r = self.run_ok(args, ranks=ranks, stdin=stdin)
        self.assertEqual(r.done["invalid"], 0)
        return r.out

    def test_forms_of_findings(self):
        text = lines(self.findings)
        forms = {
            "a.jsonl": text,
            "array.json": json.dumps(self.findings).encode(),
            "indented.json": json.dumps(self.findings, indent=2).encode(),
            "events.jsonl": lines(event("finding", f) for f in self.findings),
            "no-newline-at-end.jsonl": text[:-1],
            "crlf.jsonl": text.replace(b"\n", b"\r\n"),
            "blank-lines.jsonl": b"\n \n" + text.replace(b"\n", b"\n\n\t\n"),
            "a.jsonl.gz": text,
            "array.json.gz": json.dumps(self.findings).encode(),
            "gzip-by-another-name.dat": gzip.compress(text),
            "members.dat": gzip.compress(text[:5000]) + gzip.compress(text[5000:]),
        }
        expected = self.plans([self.write("base.jsonl", text)])
        self.assertGreater(expected.count(b"\n"), 20)
        args = ["--acks", "assumed", "--registry-file", self.registry, "--plans-file",
                "-"]
        jobs = [{"args": [*args, "--findings-file", self.write(name, content)],
                 "ranks": ranks}
                for name, content in forms.items() for ranks in (None, 3)
                if ranks is None or name in ("array.json", "events.jsonl",
                                             "a.jsonl.gz")]
        for job, r in zip(jobs, run_each(jobs)):
            with self.subTest(form=os.path.basename(job["args"][-1]),
                              ranks=job["ranks"]):
                self.assert_ran(r)
                self.assertEqual((r.code, r.done["invalid"]), (0, 0), r.brief)
                self.assertEqual(r.out, expected)

    def test_event_log_forms(self):
        text = lines(self.log)
        expected = self.plans([self.write("log.jsonl", text)], registry=False)
        self.assertGreater(expected.count(b"\n"), 5)
        for name, content in (("log.jsonl.gz", text),
                              ("log.json", json.dumps(self.log).encode())):
            with self.subTest(form=name):
                self.assertEqual(
                    self.plans([self.write(name, content)], registry=False), expected)

    def test_standard_input(self):
        expected = self.plans([self.write("a.jsonl", lines(self.findings))])
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                self.assertEqual(self.plans(["-"], lines(self.findings), ranks),
                                 expected)
        self.assertEqual(self.plans(["-"], gzip.compress(lines(self.findings))),
                         expected)

    def test_fifo(self):
        expected = self.plans([self.write("a.jsonl", lines(self.findings))])
        os.mkfifo(self.path("fifo"))
        writer = threading.Thread(
            target=lambda: self.write("fifo", lines(self.findings)))
        writer.start()
        self.assertEqual(self.plans([self.path("fifo")]), expected)
        writer.join()

    def test_several_files_and_globs(self):
        expected = self.plans([self.write("whole.jsonl", lines(self.findings))])
        parts = [self.write("part1.jsonl", lines(self.findings[:5])),
                 self.write("part2.json", json.dumps(self.findings[5:9])),
                 self.write("part3.jsonl.gz", lines(self.findings[9:14])),
                 self.write("part4.jsonl", lines(self.findings[14:]))]
        self.assertEqual(self.plans(parts), expected)
        self.assertEqual(self.plans([self.path("part*")]), expected)
        self.assertEqual(self.plans([self.path("part[12].*"), self.path("part3.*"),
                                     parts[3]], ranks=3), expected)
        self.assertEqual(self.plans([parts[0], "-", parts[2], parts[3]],
                                    lines(self.findings[5:9])), expected)

    def test_order_is_that_of_the_command_line(self):
        a = self.write("a.jsonl", lines(self.findings[:9]))
        b = self.write("b.jsonl", lines(self.findings[9:]))
        self.assertNotEqual(self.plans([a, b]), self.plans([b, a]))

    def test_empty_files(self):
        empties = {"empty.jsonl": b"", "blank.jsonl": b"\n \n\n", "array.json": b"[]",
                   "spaced.json": b" [ ]\n", "empty.gz": b""}
        for name, content in empties.items():
            f = self.write(name, content)
            for ranks in ((None, 3) if name == "empty.jsonl" else (None,)):
                with self.subTest(name=name, ranks=ranks):
                    r = self.run_ok(["--findings-file", f, "--plans-file",
                                     self.path("plans"), "--final-state",
                                     self.path("state"), "--decision-log",
                                     self.path("log.h5"), "--strict"], ranks=ranks)
                    self.assertEqual(r.done["findings"], 0)
                    self.assertEqual(r.done["records"], 0)
                    self.assertEqual(r.done["knob_state"], {})
                    self.assertEqual(self.read("plans"), b"")
                    state = json.loads(self.read("state"))
                    self.assertEqual(state["current_values"], {})
                    with harness.DecisionLog(self.path("log.h5")) as log:
                        self.assertEqual(log.complete, 1)
                        self.assertEqual(log.rows("findings"), 0)

    def test_empty_files_lose_no_registry(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok(["--findings-file", "/dev/null", "--registry-file",
                                 self.registry, "--final-state", "-"], ranks=ranks)
                self.assertEqual(json.loads(r.out)["current_values"],
                                 {"app.prefetch": 2, "app.ratio": 0.5,
                                  "app.threads": 2})

    def test_unreadable(self):
        """Exit code 2, the path is named, and no output has been touched."""
        good = self.write("good.jsonl", lines(self.findings))
        self.write("plans", b"precious")
        os.mkdir(self.path("folder"))
        cases = {self.path("missing.jsonl"): "No such file",
                 self.path("folder"): "directory",
                 self.path("none-*.jsonl"): "no file matches",
                 self.path("no/such/folder/f"): "No such file",
                 good + "/f": "Not a directory"}
        for ranks in (None, 3):
            jobs = [{"args": ["--findings-file", good, "--findings-file", bad,
                              "--plans-file", self.path("plans"), "--final-state",
                              self.path("state"), "--decision-log",
                               self.path("log.h5")], "ranks": ranks} for bad in cases]
            before = sorted(os.listdir(self.folder))
            for bad, r in zip(cases, run_each(jobs)):
                with self.subTest(input=bad, ranks=ranks):
                    self.assert_ran(r)
                    self.assertEqual(r.code, 2, r.brief)
                    self.assertIn(bad, r.text)
                    self.assertIn(cases[bad], r.text)
                    self.assertEqual(r.text.count(cases[bad]), 1)
            self.assertEqual(sorted(os.listdir(self.folder)), before)
            self.assertEqual(self.read("plans"), b"precious")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_other_formats_are_named(self):
        text = lines(self.findings)
        tar, archive = io.BytesIO(), io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as t:
            t.add(self.write("member.jsonl", text), "member.jsonl")
        with zipfile.ZipFile(archive, "w") as z:
            z.writestr("member.jsonl", text)
        files = {
            "zstd": b"\x28\xb5\x2f\xfd" + bytes(20), "xz": lzma.compress(text),
            "bzip2": bz2.compress(text), "lz4": b"\x04\x22\x4d\x18" + bytes(20),
            "zip archive": archive.getvalue(), "tar archive": tar.getvalue(),
            "the gzip content is a tar archive": gzip.compress(tar.getvalue()),
            "gzip content is gzip again": gzip.compress(gzip.compress(text)),
            "gzip content is compressed by xz": gzip.compress(lzma.compress(text)),
            "is UTF-16": text.decode().encode("utf-16"),
            "UTF-16LE": text.decode().encode("utf-16-le"),
            "UTF-16BE": text.decode().encode("utf-16-be"),
            "JSON text sequence": b"".join(b"\x1e" + x + b"\n" for x in text.split(b"\n")),
            "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
        }
        jobs = []
        for i, content in enumerate(files.values()):
            f = self.write(f"input{i}", content)
            jobs.append({"args": ["--findings-file", f, "--registry-file", self.registry]})
            jobs.append({"args": ["--findings-file", "-"], "stdin": content})
            jobs.append({"args": ["--findings-file", self.findings_file(), "--policy", f]})
        for i, r in enumerate(run_each(jobs)):
            with self.subTest(name=list(files)[i // 3], how=jobs[i]["args"]):
                self.assert_ran(r)
                self.assertEqual(r.code, 2 if i % 3 == 2 else 1, r.brief)
                self.assertIn(list(files)[i // 3], r.text)
                self.assertNotIn('"optimizer.record.invalid"', r.text)

    def findings_file(self):
        return self.write("findings", lines(self.findings))

    def test_gzip_and_mark_of_small_files(self):
        registry = json.dumps([loader_registration()]).encode()
        base = self.run_ok(["--findings-file", self.findings_file(), "--registry-file",
                            self.registry, "--plans-file", "-"]).out
        for form in (b"\xef\xbb\xbf" + registry, gzip.compress(registry),
                     gzip.compress(b"\xef\xbb\xbf" + registry)):
            r = self.run_ok(["--findings-file", self.findings_file(), "--registry-file",
                             self.write("r", form), "--policy",
                             self.write("p", gzip.compress(b"\xef\xbb\xbf{}")),
                             "--plans-file", "-"])
            self.assertEqual(r.out, base)

    def test_not_permitted(self):
        secret = self.write("secret.jsonl", lines(self.findings))
        os.chmod(self.folder, 0o777)
        os.chmod(secret, 0)
        r = run_as_nobody(["--findings-file", secret, "--plans-file",
                           self.path("plans")])
        self.assertEqual(r.code, 2, r.brief)
        self.assertIn(secret, r.text)
        self.assertIn("Permission denied", r.text)
        self.assertFalse(os.path.exists(self.path("plans")))

    def test_standard_input_twice(self):
        r = run(["--findings-file", "-", "--findings-file", "-"])
        self.assertEqual(r.code, 2)
        self.assertIn("standard input", r.text)

    def test_damaged_gzip(self):
        """What is whole before the damage is decided, the next file is read, and
        the exit code says that something is missing."""
        data = bytearray(gzip.compress(lines(finding(w, f"n{w % 7}", summary=os.urandom(
            200).hex()) for w in range(400)), 1))
        del data[len(data) // 2:]
        damaged = self.write("damaged.dat", bytes(data))
        last = self.write("last.jsonl", lines([finding(1000, "last")]))
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = run(["--findings-file", damaged, "--findings-file", last,
                         "--registry-file", self.registry, "--plans-file", "-"],
                        ranks=ranks)
                self.assertEqual(r.code, 1, r.brief)
                self.assertEqual(r.done["skipped_inputs"], 1)
                self.assertGreater(r.done["findings"], 100)
                self.assertIn(damaged, r.named("optimizer.input.failed")[0]["error"])
                self.assertIn(b'"target_nodes":["last"]', r.out)
        r = run(["--findings-file", damaged, "--findings-file", last, "--strict"])
        self.assertEqual(r.code, 1)
        self.assertIn(damaged, r.text)
        self.assertLess(r.done["findings"], 400)

    def test_file_vanishes_before_its_turn(self):
        """Checked at the start, gone when it is opened: logged, counted, and the run continues."""
        os.mkfifo(self.path("fifo"))
        second = self.write("second.jsonl", lines(self.findings))
        third = self.write("third.jsonl", lines([finding(99, "third")]))
        running = harness.Running(
            ["--findings-file", self.path("fifo"), "--findings-file", second,
             "--findings-file", third, "--registry-file", self.registry])
        fifo = open(self.path("fifo"), "wb", buffering=0)
        fifo.write(lines(self.findings[:1]))
        try:
            harness.wait_until(lambda: "optimizer.start" in running.so_far(), 60,
                               "optimizer.start")
            os.unlink(second)
        finally:
            fifo.close()
        r = running.finish()
        self.assertEqual(r.code, 1, r.brief)
        self.assertEqual(r.done["skipped_inputs"], 1)
        self.assertEqual(r.done["findings"], 2)
        self.assertIn(second, r.named("optimizer.input.failed")[0]["error"])

    def test_the_program_does_not_read_its_own_output(self):
        """An output that is an input would empty it before it is read."""
        content = lines(self.findings)
        for option in ("--plans-file", "--final-state", "--decision-log"):
            with self.subTest(option=option):
                f = self.write("in.jsonl", content)
                run(["--findings-file", f, option, f])
                self.assertEqual(self.read("in.jsonl"), content)

    def test_plans_without_ids(self):
        """The helper that other tests rest on."""
        out = self.plans([self.write("a.jsonl", lines(self.findings))])
        self.assertEqual(len(plans_without_ids(out)), out.count(b"\n"))


if __name__ == "__main__":
    harness.main()
