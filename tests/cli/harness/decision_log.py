"""Decision logs, read without the code under test."""
import functools


NO_STRING = 0xFFFFFFFF

# Options of dfopt-log dump: all that came in and was decided, and nothing of the run.
DECIDED = [x for kind in ("finding", "registration", "ack", "global_plan", "reject",
                          "suppression", "timeout", "verdict", "plan", "knob",
                          "response", "seen", "objective", "outcome") for x in ("--kind", kind)]


class DecisionLog:
    """A decision log, read without our code."""

    def __init__(self, path):
        import h5py
        self.h5py = h5py
        try:
            self.file = h5py.File(path, "r")
        except OSError:  # its writer was killed
            self.file = h5py.File(path, "r", libver="latest", swmr=True)
        self.complete = int(self.file["complete"][0])
        commits = self.file["commits"]
        self.last = commits[len(commits) - 1] if len(commits) else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def plan_ids(self, table):
        """Ids of plans as they went out: of a live run with its identity behind."""
        run = self.file.attrs["run_id"]
        run = run.decode() if isinstance(run, bytes) else str(run)
        return [f"plan_{n:016x}" + (f"_{run}" if run else "")
                for n in self.column(table, "plan_id")]

    def rows(self, table):
        return int(self.last[table]) if self.last is not None else 0

    def column(self, table, name):
        return self.file[table][name][:self.rows(table)]

    def names(self, table, name):
        """An enum column, as names."""
        data = self.file[table][name]
        by_value = {v: k for k, v in self.h5py.check_enum_dtype(data.dtype).items()}
        return [by_value[v] for v in self.column(table, name)]

    @functools.cached_property
    def texts(self):
        """The strings, by number."""
        data = self.file["strings"]["bytes"][:int(self.last["strings_bytes"])].tobytes()
        texts, start = [], 0
        for end in map(int, self.column("strings", "ends")):
            texts.append(data[start:end].decode("utf-8", "replace"))
            start = end
        return texts

    def strings(self, table, name):
        return [None if s == NO_STRING else self.texts[s]
                for s in self.column(table, name)]

    def bodies(self):
        """Of registrations, as they came."""
        ends = [int(x) for x in self.column("registrations", "body_ends")]
        data = self.file["registrations"]["body_bytes"][:ends[-1] if ends else 0].tobytes()
        return [data[a:b] for a, b in zip([0] + ends, ends)]

    def rejects(self):
        return [{"seq": int(s), "line": int(n), "stream": t, "origin": o, "reason": r}
                for s, n, t, o, r in zip(
                    self.column("rejects", "seq"), self.column("rejects", "line"),
                    self.names("rejects", "stream"), self.strings("rejects", "origin"),
                    self.strings("rejects", "reason"))]

    def invalid_verdicts(self):
        return [int(s) for s, v in zip(self.column("verdicts", "seq"),
                                       self.names("verdicts", "verdict"))
                if v == "invalid"]

    def columns(self):
        """All columns of all tables as bytes, but for /commits."""
        found = {}

        def take(name, item):
            if isinstance(item, self.h5py.Dataset) and name != "commits":
                found[name] = (str(item.dtype), item.shape, item[()].tobytes())

        self.file.visititems(take)
        return found
