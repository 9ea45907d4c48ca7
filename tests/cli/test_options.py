"""The command line: help, version, mistakes, and that a mistake does nothing."""
import os
import signal
import subprocess

import harness
from harness import RANKS, Case, Running, finding, lines, run, run_each, wait_until

OPTIONS = """transport findings-file registry-file max-record-bytes strict plans-file
final-state decision-log log-detail log-compression log-flush-interval compat policy
acks relay-hostname batch-events batches-in-flight read-bytes readers
log-level log-format debug
no-progress fault-trace help version""".split()

BAD_VALUES = [  # option, value
    ("transport", "carrier-pigeon"),
    ("max-record-bytes", "none"), ("max-record-bytes", "0"), ("max-record-bytes", "-5"),
    ("max-record-bytes", "1e6"), ("max-record-bytes", "99999999999999999999"),
    ("log-detail", "all"), ("log-compression", "10"), ("log-compression", ""),
    ("log-flush-interval", "soon"), ("log-flush-interval", "-1"),
    ("log-flush-interval", "nan"), ("compat", "downstream"), ("acks", "maybe"),
    ("batch-events", "0"), ("batch-events", "7x"), ("batches-in-flight", "0"),
    ("batches-in-flight", "257"), ("read-bytes", "few"), ("readers", "everybody"),
    ("log-level", "loud"), ("log-format", "xml"),
]


class Options(Case):
    def setUp(self):
        super().setUp()
        self.input = self.write("in.jsonl", lines([finding()]))

    def outputs(self):
        return ["--plans-file", self.path("plans.jsonl"), "--final-state",
                self.path("state.json"), "--decision-log", self.path("log.h5")]

    def assert_refused(self, args, *texts, ranks=None, env=None):
        """Exit code 2, a message with the texts, and no file was made."""
        r = run(args, ranks=ranks, env=env)
        self.assertEqual(r.code, 2, r.brief)
        for text in texts:
            self.assertIn(text, r.text)
        self.assertEqual(r.out, b"")
        self.assertEqual(os.listdir(self.folder), ["in.jsonl"])
        return r

    def test_help(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok(["--help"], ranks=ranks)
                text = r.out.decode()
                self.assertEqual(text.count("Usage:"), 1)
                self.assertEqual(r.err, b"")
                for group in ("Input", "Output", "Decisions", "Ranks", "Messages"):
                    self.assertRegex(text, rf"(?m)^ *{group}:?$")
                for option in OPTIONS:
                    self.assertRegex(text, rf"--{option}\b")
                for word in ("Exit status", "DFOPTIMIZER_TRANSPORT", "DFOPTIMIZER_DEBUG",
                             "DFOPTIMIZER_BOOTSTRAP_DLIO", "DLIO_KNOB_MAX_THREADS"):
                    self.assertIn(word, text)

    def test_version(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.run_ok(["--version"], ranks=ranks)
                self.assertRegex(r.out.decode(), r"^dfopt-mpi \d+\.\d+\.\d+\n$")
                self.assertEqual(r.err, b"")

    def test_what_needs_no_run_needs_no_mpi(self):
        """Here MPI cannot start."""
        env = {"OMPI_MCA_pml": "none-of-these"}
        self.assertNotEqual(run(["--findings-file", self.input], env=env).code, 0)
        self.run_ok(["--help"], env=env)
        self.run_ok(["--version"], env=env)
        self.assert_refused(["--frobnicate"], "frobnicate", env=env)
        self.run_ok(["--zmq-keygen", self.path("peer")], env=env)

    def test_help_wins_over_what_follows(self):
        self.run_ok(["--help", "--findings-file", "/does/not/exist"])

    def test_output_that_cannot_be_written(self):
        """Every program says so, of the little that it prints, too."""
        programs = [harness.Config.program, harness.Config.log_program,
                    *(os.path.join(os.path.dirname(harness.Config.program), name)
                      for name in ("dfopt-ctl", "dfopt-demo-loader"))]
        for program in programs:
            for option in ("--help", "--version"):
                with self.subTest(program=program, option=option):
                    with open("/dev/full", "wb") as full:
                        r = run([option], stdout=full, program=program)
                    self.assertEqual(r.code, 1)
                    self.assertIn("standard output: No space left on device", r.text)
                    r = run([option], program=program, preexec=lambda: os.close(1))
                    self.assertEqual(r.code, 1)
                    self.assertIn("standard output: ", r.text)

    def test_unknown_option(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.assert_refused(["--findings-file", self.input, *self.outputs(),
                                         "--frobnicate"], "frobnicate", ranks=ranks)
                self.assertEqual(r.text.count("frobnicate"), 1)

    def test_stray_argument(self):
        self.assert_refused(["--findings-file", self.input, *self.outputs(), "stray"],
                            "stray")

    def test_bad_values(self):
        args = ["--findings-file", self.input, *self.outputs()]
        results = run_each([{"args": [*args, f"--{option}={value}"]}
                            for option, value in BAD_VALUES])
        for (option, value), r in zip(BAD_VALUES, results):
            with self.subTest(option=option, value=value):
                self.assert_ran(r)
                self.assertEqual(r.code, 2, r.brief)
                self.assertIn(f"--{option}", r.text)
                self.assertIn(f"'{value}'", r.text)
        self.assertEqual(os.listdir(self.folder), ["in.jsonl"])

    def test_bad_value_is_reported_once_by_three_ranks(self):
        r = self.assert_refused(["--findings-file", self.input, *self.outputs(),
                                 "--acks=maybe"], "--acks", ranks=3)
        self.assertEqual(r.text.count("--acks"), 1)

    def test_missing_value(self):
        self.assert_refused(["--findings-file"], "findings-file")

    def test_no_findings(self):
        self.assert_refused(["--transport", "file", *self.outputs()], "--findings-file")

    def test_nothing_given(self):
        self.assert_refused([], "no --findings-file and no --transport")

    def test_a_mofka_module_that_is_not_there(self):
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                r = self.assert_refused(
                    ["--transport", "mofka", *self.outputs()],
                    "DFOPT_MOFKA_MODULE=/does/not/exist.so", "No such file", ranks=ranks,
                    env={"DFOPT_MOFKA_MODULE": "/does/not/exist.so"})
                self.assertNotIn("this build", r.text)

    def test_mofka_options(self):
        mofka = ["--transport", "mofka", *self.outputs()]
        self.assert_refused([*mofka, "--relay-only"], "--global-group-file")
        self.assert_refused([*mofka, "--input-topic="], "--input-topic")
        self.assert_refused([*mofka, "--output-topic="], "--output-topic")
        for option in ("input", "registry", "acks", "objectives", "control"):
            self.assert_refused([*mofka, "--output-topic=a.b", f"--{option}-topic=a_b"],
                                f"--output-topic and --{option}-topic are the same")
        self.assert_refused([*mofka, "--broker-timeout=0"], "--broker-timeout")
        self.assert_refused([*mofka, "--output-topic=global_plans", "--group-file=g",
                             "--global-group-file=g"], "circles")
        self.assert_refused([*mofka, "--output-topic=global_plans"], "whole number",
                            env={"DFOPTIMIZER_GLOBAL_PLAN_FANOUT": "many"})

    def test_service_options(self):
        zmq = ["--transport", "zmq", *self.outputs()]
        at = ["--address", "tcp://127.0.0.1:*", "--bind"]
        self.assert_refused(zmq, "--address")
        self.assert_refused([*zmq, *at, "--findings-file", self.input],
                            "--findings-file")
        self.assert_refused(["--findings-file", self.input, *self.outputs(),
                             "--record", "r.jsonl"], "--record")
        self.assert_refused([*zmq, "--address", "no endpoint", "--bind"],
                            "no endpoint")
        self.assert_refused([*zmq, *at, "--zmq-curve-client-keys", "any"],
                            "--zmq-curve-server-key")
        self.assert_refused([*zmq, *at, "--zmq-curve-server-key", "absent"],
                            "--zmq-curve-client-keys")
        self.assert_refused([*zmq, *at, "--zmq-curve-server-key", "absent",
                             "--zmq-curve-client-keys", "any"], "secret key")
        for port in ("99999", "70o1", "-5", "", "7001x", "0x10"):
            bad = f"tcp://127.0.0.1:{port}"
            self.assert_refused([*zmq, "--address", bad], "--address", bad)
            for option in ("plans", "registry", "acks"):
                self.assert_refused([*zmq, *at, f"--{option}-address", bad],
                                    f"--{option}-address: endpoint {bad}")
        self.assert_refused([*zmq, "--address", "inproc://x", "--bind"], "inproc")
        self.assert_refused([*zmq, "--address", "tcp://*:7001"], "not a host to connect to")
        self.assert_refused(zmq, "--address: endpoint tcp://127.0.0.1:99999",
                            env={"DFOPTIMIZER_ZMQ_FINDINGS": "tcp://127.0.0.1:99999"})
        for text in ("-1", "soon", "", "1e99"):
            self.assert_refused([*zmq, *at, "--idle-timeout", text],
                                "--idle-timeout", repr(text))
        self.assert_refused([*zmq, *at], "--pull-timeout-ms",
                            env={"DFOPTIMIZER_PULL_TIMEOUT_MS": "0"})

    def test_upstream_has_no_assumed_acks(self):
        self.assert_refused(["--findings-file", self.input, *self.outputs(), "--compat",
                             "upstream", "--acks", "assumed"], "explicit acks")

    def test_acks_of_a_service(self):
        """What is asked for, by name or with upstream's behaviour, comes before what
        the endpoints suggest."""
        acks = ["--acks-address", "tcp://127.0.0.1:*"]
        for options, expected in (
                ([], "assumed"), (acks, "explicit"), (["--acks", "explicit"], "explicit"),
                (["--acks", "assumed", *acks], "assumed"),
                (["--compat", "upstream"], "explicit")):
            with self.subTest(options=options):
                service = Running(["--transport", "zmq", "--address", "tcp://127.0.0.1:*",
                                   "--bind", *options])
                self.addCleanup(service.kill)
                wait_until(lambda s=service: "optimizer.listening" in s.so_far(), 60,
                           "endpoints")
                os.kill(service.process.pid, signal.SIGTERM)
                r = service.finish()
                self.assertEqual(r.code, 0, r.text)
                self.assertEqual(r.events[0]["acks"], expected)

    def test_transport_by_environment(self):
        self.run_ok(["--findings-file", self.input],
                    env={"DFOPTIMIZER_TRANSPORT": "file"})
        self.assert_refused(self.outputs(), "zmq", env={"DFOPTIMIZER_TRANSPORT": "zmq"})
        self.run_ok(["--findings-file", self.input, "--transport", "file"],
                    env={"DFOPTIMIZER_TRANSPORT": "zmq"})
        self.run_ok(["--findings-file", self.input], env={"DFOPTIMIZER_TRANSPORT": ""})

    def test_debug(self):
        """By option and by environment; an explicit level wins over the latter."""
        def has_debug(args, env=None):
            r = self.run_ok(["--findings-file", self.input, *args], env=env)
            return any(e["level"] == "debug" for e in r.events)
        on = {"DFOPTIMIZER_DEBUG": "1"}
        self.assertFalse(has_debug([]))
        self.assertTrue(has_debug(["--debug"]))
        self.assertTrue(has_debug(["--log-level", "debug"]))
        self.assertTrue(has_debug([], on))
        self.assertFalse(has_debug([], {"DFOPTIMIZER_DEBUG": "0"}))
        self.assertFalse(has_debug(["--log-level", "info"], on))

    def test_log_levels(self):
        for level, expected in (("warning", 0), ("error", 0), ("off", 0), ("info", 1)):
            with self.subTest(level=level):
                r = self.run_ok(["--findings-file", self.input, "--log-level", level])
                self.assertEqual(len(r.named("optimizer.start")), expected)
                if level == "off":
                    self.assertEqual(r.err, b"")

    def test_text_format(self):
        r = self.run_ok(["--findings-file", self.input, "--log-format", "text"])
        self.assertEqual(r.events, [])
        self.assertTrue(any("optimizer.file.done" in s and "findings=1" in s
                            for s in r.other_lines), r.text)
        for line in r.other_lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z [a-z]+ +optimizer")

    def test_no_progress_line_without_a_terminal(self):
        r = self.run_ok(["--findings-file", self.input])
        self.assertNotIn("\r", r.text)
        self.assertNotIn("records  ", r.text)

    def on_a_terminal(self, *more):
        """What a run writes to a terminal as its standard error."""
        master, slave = os.openpty()
        env = harness.environment(harness.Config.program, None)
        argv = harness.command(harness.Config.program,
                               ["--findings-file", self.input, *more], None, env, ())
        try:
            code = subprocess.run(argv, env=env, stderr=slave, timeout=60,
                                  stdin=subprocess.DEVNULL).returncode
            os.set_blocking(master, False)
            text = os.read(master, 100_000).decode()
        finally:
            os.close(slave)
            os.close(master)
        self.assertEqual(code, 0, text)
        return text

    def test_progress_line_on_a_terminal(self):
        self.assertRegex(self.on_a_terminal(), r"1 records .*/s.*0 plans.*\r")
        self.assertNotIn("records  ", self.on_a_terminal("--no-progress"))


if __name__ == "__main__":
    harness.main()
