"""The commands of dfopt-log, each on logs that dfopt-mpi has written."""
import csv
import io
import json
import os
import random
import shutil

import harness
from harness import (Case, Config, DecisionLog, event, finding, lines,
                     loader_registration, session)

SEEN = 60  # seconds within which something must have happened


class Commands(Case):
    def log(self, *args, code=0, **more):
        r = harness.run(args, program=Config.log_program, **more)
        self.assertEqual(r.code, code, r.brief)
        return r

    def rows(self, *args, **more):
        return [json.loads(line) for line in self.log(*args, **more).out.splitlines()]

    def replay(self, records, name="log.h5", *more):
        self.run_ok(["--findings-file", self.write("in.jsonl", lines(records)),
                     "--decision-log", self.path(name), *more])
        return self.path(name)


class Looking(Commands):
    def test_plans(self):
        path = self.replay([event("registration", loader_registration()),
                            *session(4, 20)])
        everything = self.rows("plans", "--json", path)
        dumped = self.rows("dump", "--kind", "plan", path)
        self.assertEqual([(p["seq"], p["number"], p["new"]) for p in everything],
                         [(p["seq"], p["number"], p["new"]) for p in dumped])
        acks = self.rows("dump", "--kind", "ack", path)
        fates = {}
        for a in acks:
            if a["outcome"] != "unmatched":
                fates.setdefault(a["plan_id"], a["outcome"])
        for p in everything:
            own = p["plan_id"] is not None
            self.assertEqual(p["fate"], fates.get(p["plan_id"], "waiting")
                             if own else "relayed")
        self.assertIn("applied", {p["fate"] for p in everything})
        for args, keep in (
                (["--knob", "app.prefetch"], lambda p: p["knob"] == "app.prefetch"),
                (["--node", "node001"], lambda p: p["node"] == "node001" or
                 "node001" in p["targets"]),
                (["--node", ""], lambda p: p["node"] == "" and not p["targets"]),
                (["--tag", "cache_pressure"], lambda p: p["tag"] == "cache_pressure"),
                (["--window", "3:5"], lambda p: 3 <= p["window"] <= 5),
                (["--window", ":4"], lambda p: p["window"] <= 4),
                (["--window", "9:"], lambda p: p["window"] >= 9),
                (["--window", "3"], lambda p: p["window"] == 3)):
            with self.subTest(args=args):
                kept = [p for p in everything if keep(p)]
                self.assertTrue(kept)
                self.assertEqual(self.rows("plans", "--json", *args, path), kept)
                text = self.log("plans", *args, path).out.splitlines()
                self.assertEqual(len(text), 1 + len(kept))
        logged = self.log("plans", "--knob", "nope", path, code=1).text
        self.assertIn("the log has app.prefetch", logged)
        self.assertEqual(logged.count("app.prefetch"), 1)

    def test_export(self):
        path = self.replay(session(3, 30))
        tables = ("findings", "verdicts", "plans", "acks", "global_plans",
                  "suppressions", "registrations", "knobs", "responses")
        with DecisionLog(path) as d:
            counts = {t: d.rows(t) for t in tables}
        for table in tables:
            with self.subTest(table=table):
                objects = self.rows("export", "--table", table, "--format", "jsonl",
                                    path)
                text = self.log("export", "--table", table, path).out.decode()
                sheet = list(csv.DictReader(io.StringIO(text)))
                self.assertGreater(counts[table], 0)
                self.assertEqual(len(objects), counts[table])
                self.assertEqual(len(sheet), counts[table])
                for o, s in zip(objects, sheet):
                    self.assertEqual(list(o), list(s))
                    for name, value in o.items():
                        want = ("" if value is None else
                                ";".join(value) if isinstance(value, list) else
                                value if isinstance(value, str) else
                                json.loads(s[name]) == value)
                        self.assertIn(want, (True, s[name]) if table != "registrations"
                                      or name != "body" else (want,))

    def test_every_table_is_exported(self):
        path = self.replay(session(2, 3))
        logged = self.log("export", "--table", "nope", path, code=2).text
        tables = logged.split("one of ")[1].split(", not")[0].split(", ")
        self.assertEqual(len(tables), 19)
        help_text = " ".join(self.log("export", "--help").out.decode().split())
        for table in tables:
            self.assertIn(table, help_text)
            self.log("export", "--table", table, path)

    def test_csv_quotes(self):
        odd = 'a "b", c\nd'
        path = self.replay([event("finding", finding(motif=odd))])
        text = self.log("export", "--table", "findings", path).out.decode()
        self.assertEqual(next(csv.DictReader(io.StringIO(text)))["motif"], odd)

    def test_timeline_and_summary_end_with_the_final_state(self):
        timeout = self.write("policy.json", json.dumps(
            {"switches": {"effect": "severity", "pending_timeout_windows": 2}}))
        for more in (["--acks", "explicit"], ["--acks", "assumed"],
                     ["--acks", "explicit", "--policy", timeout]):
            with self.subTest(more=more):
                path = self.replay(session(4, 20, seed=3), "log.h5", *more,
                                   "--final-state", self.path("state"))
                fates = {p["fate"] for p in self.rows("plans", "--json", path)}
                self.assertEqual("given_up" in fates, timeout in more)
                state = json.loads(self.read("state"))
                summary = self.rows("summary", "--json", path)[0]
                self.check_values(summary, state,
                                  self.log("summary", path).out.decode())
                for knob, value in state["current_values"].items():
                    own = {n: v for k, n, v in state["node_values"] if k == knob}
                    now = {}
                    for c in self.rows("timeline", "--json", "--knob", knob, path):
                        now[c["node"]] = c["value"] if c["own"] else None
                    self.assertEqual(now.pop(""), value)
                    for node, v in now.items():
                        self.assertEqual(value if v is None else v,
                                         own.get(node, value), (knob, node))
                    self.assertLessEqual(set(own), set(now))
                    text = self.log("timeline", "--knob", knob, path).out.decode()
                    strips = [line for line in text.splitlines()
                              if not line.startswith(" ")]  # marks of trials
                    self.assertEqual(len(strips), 3 + 1 + len(now))

    def check_values(self, summary, state, text):
        """A summary tells the job's values, and where nodes have others."""
        self.assertEqual({k["knob"]: k["last"] for k in summary["knobs"]},
                         state["current_values"])
        several = 0
        for k in summary["knobs"]:
            own = [v for knob, _, v in state["node_values"] if knob == k["knob"]]
            numbers = [v for v in own if type(v) in (int, float)]
            self.assertEqual(k["own_values"], {
                "nodes": len(own), "lowest": min(numbers, default=None),
                "highest": max(numbers, default=None)}, k["knob"])
            several += len(own) > 1
        self.assertEqual(text.count(" nodes have their own"), several)
        self.assertGreater(several, 0)

    def test_diff(self):
        records = session(4, 12)
        one = self.replay(records, "one.h5")
        two = self.replay(records, "two.h5", "--log-detail", "verdicts")
        self.assertEqual(self.log("diff", one, two).out, b"")
        policy = self.write("policy.json", json.dumps(
            {"responses": {"knob:app.ratio": {"min_severity": 0.99}}}))
        other = self.replay(records, "other.h5", "--policy", policy)
        *found, last = self.rows("diff", "--json", "--limit", 0, one, other, code=1)
        a, b = ({(r["kind"], r["seq"], r.get("position")): r
                 for r in self.rows("dump", p)} for p in (one, other))
        wanted = [k for k in {**a, **b} if a.get(k) != b.get(k)]
        self.assertEqual(len(found), len(wanted))
        self.assertEqual({(f["kind"], f["seq"], (f.get("a") or f["b"]).get("position"))
                          for f in found}, set(wanted))
        self.assertEqual(last["differences"], len(wanted))
        self.assertEqual(last["first"]["seq"], min(k[1] for k in wanted))
        text = self.log("diff", "--limit", 1, one, other, code=1).out.decode()
        self.assertIn("more (--limit)", text)
        self.assertIn("differ\n", self.log("diff", "-q", one, other, code=1).out.decode())
        self.log("diff", one, self.path("none.h5"), code=2)
        self.log("diff", one, code=2)

    def test_colour(self):
        path = self.replay(session(3, 5))
        for args, colour in ((["--color=always"], True), (["--color=never"], False),
                             ([], False)):
            for command in ("summary", "plans"):
                out = self.log(command, *args, path).out
                self.assertEqual(b"\033[" in out, colour, (command, args))
        self.log("summary", "--color=sometimes", path, code=2)

    def test_a_reader_that_leaves_is_no_error(self):
        path = self.replay(session(8, 40))
        for command in (["dump"], ["plans"], ["export", "--table=verdicts"],
                        ["why", "--knob=app.prefetch"]):
            with self.subTest(command=command):
                reader, writer = os.pipe()
                os.close(reader)
                r = harness.Running([*command, path], stdout=writer,
                                    program=Config.log_program)
                os.close(writer)
                result = r.finish()
                self.assertEqual((result.code, result.err), (0, b""))


class Damaged(Commands):
    READ = (["summary"], ["dump"], ["plans"], ["export"], ["check"], ["follow"],
            ["why", "--knob=app.prefetch"], ["timeline", "--knob=app.prefetch"])

    def killed(self, name="log.h5", commits=1):
        """A log whose writer was killed; and what it had been given."""
        path, (reader, writer) = self.path(name), os.pipe()
        running = harness.Running(["--findings-file", "-", "--decision-log", path,
                                   "--log-flush-interval", "0"], stdin=reader)
        self.addCleanup(running.kill)
        os.close(reader)
        records = session(4, 20)
        for i in range(commits):
            n = len(records) // commits
            os.write(writer, lines(records[i * n:(i + 1) * n]))
            harness.wait_until(lambda: self.events(path) >= (i + 1) * n, SEEN,
                               "a commit")
        return path, running, writer

    def events(self, path):
        try:
            with DecisionLog(path) as d:
                return int(d.last["next_seq"]) if d.last is not None else 0
        except OSError:
            return 0

    def test_repair(self):
        path, running, writer = self.killed()
        self.assertIn(b"being written", self.log("check", path, code=1).out)
        running.process.kill()
        os.close(writer)
        running.finish(sanitizers=False)
        before = self.log("dump", path).out
        copy = self.path("copy.h5")
        self.assertIn(b"left by its writer",
                      self.log("check", "--repair", copy, path, code=1).out)
        self.log("diff", path, copy)
        self.assertEqual(self.log("dump", copy).out, before)
        import h5py
        with h5py.File(copy, "r") as f:  # plainly
            self.assertEqual(int(f["complete"][0]), 0)
        self.assertIn(b"closed early", self.log("check", copy, code=1).out)
        self.assertIn("already exists",
                      self.log("check", "--repair", copy, path, code=2).text)

    def test_cut_at_random(self):
        path, running, writer = self.killed(commits=3)
        os.close(writer)
        running.finish()
        whole = self.log("dump", path).out
        size, pick = os.path.getsize(path), random.Random(7)
        random_cuts = 1 if harness.is_sanitized(Config.log_program) else 6
        for cut in [*(pick.randrange(size) for _ in range(random_cuts)), size // 2,
                    size - 1]:
            with self.subTest(cut=cut, size=size):
                short = self.path("short.h5")
                shutil.copy(path, short)
                os.truncate(short, cut)
                r = harness.run(["dump", short], program=Config.log_program)
                self.assertIn(short, r.text)
                self.assertTrue(whole.startswith(r.out))
                if r.code == 0:
                    self.assertIn("truncated", r.text)
                    check = self.log("check", "--json", short, code=1)
                    self.assertEqual(json.loads(check.out)["state"], "cut short")
                    out = self.log("summary", short).out
                    self.assertIn(b"transport file", out)  # of the run, at least

    def test_not_ours(self):
        text = self.write("notes.txt", "not a log")
        import h5py
        with h5py.File(self.path("other.h5"), "w") as f:
            f["x"] = [1, 2]
        older = self.replay(session(2, 3), "older.h5")
        with h5py.File(older, "r+") as f:
            f.attrs["format_version"] = 0
        os.mkfifo(self.path("pipe"))
        for path, words in ((text, "not an HDF5 file"),
                            (self.path("."), "is a directory"),
                            (self.path("pipe"), "is not a regular file"),
                            (self.path("other.h5"), "not a decision log"),
                            (self.path("none.h5"), "No such file"),
                            (older, "format version 0")):
            few = harness.is_sanitized(Config.log_program)
            for command in self.READ[:2] if few else self.READ:
                with self.subTest(command=command, path=path):
                    r = harness.run([*command, path], program=Config.log_program)
                    self.assertNotEqual(r.code, 0)
                    self.assertIn(words, r.text)
                    self.assertEqual(r.out, b"")


class Following(Commands):
    def start(self):
        reader, writer = os.pipe()
        running = harness.Running(
            ["--findings-file", "-", "--decision-log", self.path("log.h5"),
             "--log-flush-interval", "0"], stdin=reader)
        self.addCleanup(running.kill)
        os.close(reader)
        records = session(4, 20)
        os.write(writer, lines(records[:60]))
        harness.wait_until(lambda: os.path.exists(self.path("log.h5")) and harness.run(
            ["dump", self.path("log.h5")], program=Config.log_program).out, SEEN,
            "a commit")
        return running, writer, lines(records[60:])

    def follow(self, *more):
        out = open(self.path("followed"), "wb")
        self.addCleanup(out.close)
        f = harness.Running(["follow", "--json", *more, self.path("log.h5")],
                            stdout=out, program=Config.log_program)
        self.addCleanup(f.kill)
        return f

    def wanted(self):
        return self.log("dump", "--kind=plan", "--kind=ack", self.path("log.h5")).out

    def test_to_the_end(self):
        running, writer, rest = self.start()
        f = self.follow("--lines", 1000)
        harness.wait_until(lambda: self.read("followed"), SEEN, "what is there already")
        os.write(writer, rest)
        os.close(writer)
        self.assertEqual(f.finish().code, 0)
        running.finish()
        self.assertEqual(self.read("followed"), self.wanted())

    def test_killed_writer(self):
        running, writer, rest = self.start()
        f = self.follow("--lines", 1000)
        os.write(writer, rest)
        harness.wait_until(lambda: self.read("followed") == self.wanted() != b"", SEEN,
                           "all plans")
        running.process.kill()
        os.close(writer)
        running.finish(sanitizers=False)
        r = f.finish()
        self.assertEqual(r.code, 2)
        self.assertIn("its writer is gone", r.text)
        self.assertEqual(self.read("followed"), self.wanted())

    def test_idle(self):
        running, writer, _ = self.start()
        r = self.follow("--idle-timeout", 0.4).finish()
        self.assertEqual(r.code, 2)
        self.assertIn("--idle-timeout", r.text)
        os.close(writer)
        running.finish()

    def test_finished_log(self):
        path = self.replay(session(3, 6))
        self.assertEqual(len(self.log("follow", "--lines", 2, path).out.splitlines())
                         >= 2, True)
        verdicts = self.log("follow", "--verdicts", "--lines", 1000, path).out
        self.assertIn(b"verdict  ", verdicts)


if __name__ == "__main__":
    harness.main()
