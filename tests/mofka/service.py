"""What the tests of the service over Mofka share: topics, options, how it is run."""
import json
import subprocess

from broker import Broker, harness

TOPICS = {"finding": "findings", "registration": "registry", "ack": "acks"}
DONE = "optimizer.stream.done"


class Service(harness.Case):
    def broker(self, partitions=1, more=(), **how):
        b = Broker(**how)
        self.addCleanup(b.stop)
        b.create("findings", partitions=partitions)
        b.create("plans", partitions=min(partitions, 2))
        b.create("registry", "acks", *more)
        return b

    def args(self, b, *more, name="run"):
        return ["--transport", "mofka", "--group-file", b.group_file,
                "--input-topic", "findings", "--output-topic", "plans",
                "--registry-topic", "registry", "--acks-topic", "acks",
                "--idle-timeout", "1", "--broker-timeout", "5",
                "--plans-file", self.path(name + ".plans"),
                "--decision-log", self.path(name + ".h5"),
                "--record", self.path(name + ".jsonl"), *more]

    def records(self, name="run"):
        return [json.loads(x) for x in self.read(name + ".jsonl").splitlines()]

    def run_service(self, args, **more):
        """Ends by --idle-timeout."""
        r = self.run_ok(args, **more)
        self.assertEqual(r.out, b"")
        return r, r.named(DONE)[0]

    def replayed_the_same(self, name="run", *more):
        """The recording, replayed: dfopt-log finds no difference."""
        again = self.path(name + ".again.h5")
        r = self.run_ok(["--findings-file", self.path(name + ".jsonl"), "--plans-file",
                         self.path(name + ".again"), "--decision-log", again, *more])
        diff = subprocess.run(
            [harness.Config.log_program, "diff", self.path(name + ".h5"), again],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(diff.returncode, 0, diff.stdout)
        return r

    def rejects(self, name):
        with harness.DecisionLog(self.path(name + ".h5")) as log:
            return log.rejects()

    def start(self, args, **more):
        running = harness.Running(args, **more)
        self.addCleanup(running.kill)
        harness.wait_until(lambda: "optimizer.stream.start" in running.so_far()
                           or running.process.poll() is not None, 60, "a service")
        return running
