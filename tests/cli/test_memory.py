"""Memory of each rank stays flat however long the input is."""
import json
import os
import sys
import threading

import harness
from harness import Case, Config, finding, is_sanitized, loader_registration, run

NODES = 50
SHORT, LONG = 20_000, 400_000
GROWTH_KIB = 64 * 1024

# Started by mpirun in place of the program: runs it, then notes its peak.
WRAPPER = """
import os, sys
folder, *argv = sys.argv[1:]
pid = os.fork()
if pid == 0:
    os.execv(argv[0], argv)
_, status, usage = os.wait4(pid, 0)
name = os.path.join(folder, "rank" + os.environ.get("OMPI_COMM_WORLD_RANK", "0"))
with open(name, "w") as f:
    f.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status) & 255)
"""


class Memory(Case):
    def setUp(self):
        super().setUp()
        self.program = Config.program
        if is_sanitized(self.program):
            self.program = Config.release_program
            if not self.program:
                self.skipTest("a sanitizer keeps what was freed: needs "
                              "--release-program or DFOPT_RELEASE_PROGRAM")

    def feed(self, path, n):
        """n findings on the same nodes, one a line."""
        body = json.dumps(finding(node="NODE", window_index="WINDOW"))
        before, _, rest = body.partition("NODE")
        middle, _, after = rest.partition('"WINDOW"')
        with open(path, "wb", buffering=1 << 20) as f:
            for i in range(n):
                f.write(f"{before}n{i % NODES}{middle}{i // NODES}{after}\n".encode())

    def peaks(self, n, ranks, fifo):
        """KiB by rank. Without a FIFO the input is one file, again and again."""
        path = self.path(f"in{n}.jsonl")
        files = [path]
        if fifo:
            os.mkfifo(path)
            writer = threading.Thread(target=self.feed, args=(path, n))
            writer.start()
        else:
            self.feed(path, SHORT)
            files *= n // SHORT
        registry = self.write("registry.json", json.dumps([loader_registration()]))
        wrapper = (sys.executable, "-c", WRAPPER, self.folder)
        inputs = [a for f in files for a in ("--findings-file", f)]
        r = run([*inputs, "--registry-file", registry, "--decision-log",
                 self.path(f"{n}.h5"), "--plans-file", "/dev/null", "--log-level",
                 "warning"], ranks=ranks, program=self.program, wrapper=wrapper,
                timeout=240)
        if fifo:
            writer.join()
        self.assertEqual(r.code, 0, r.brief)
        with harness.DecisionLog(self.path(f"{n}.h5")) as d:
            self.assertEqual(d.rows("findings"), n)
        os.unlink(self.path(f"{n}.h5"))
        return [int(self.read(f"rank{i}")) for i in range(ranks or 1)]

    def assert_flat(self, ranks, fifo):
        short, long = (self.peaks(n, ranks, fifo) for n in (SHORT, LONG))
        print(f"KiB by rank: {short} for {SHORT}, {long} for {LONG} records",
              file=sys.stderr)
        for rank, (a, b) in enumerate(zip(short, long)):
            self.assertLess(b - a, GROWTH_KIB, f"rank {rank} grew from {a} to {b} KiB")

    def test_three_ranks_one_reader(self):
        self.assert_flat(3, fifo=True)

    def test_three_ranks_all_readers(self):
        self.assert_flat(3, fifo=False)

    def test_alone(self):
        self.assert_flat(None, fifo=True)


if __name__ == "__main__":
    harness.main()
