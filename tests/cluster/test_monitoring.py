#!/usr/bin/env python3
"""jobs/monitoring and jobs/systemd: Prometheus' and systemd's own tools take them, the
alerts fire on what they are for, and every metric that they name is there."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
MONITORING = TOP / "jobs" / "monitoring"
UNITS = TOP / "jobs" / "systemd"
METRIC = re.compile(r"(?<![A-Za-z0-9_:])dfopt_[a-z_]+")
SUFFIXES = {"counter": ("_total",), "info": ("_info",),
            "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def families():
    """family -> type, as the source has them."""
    text = (TOP / "src" / "metrics" / "text.c").read_text(encoding="utf-8")
    return {name: kind.lower() for kind, name in
            re.findall(r'FAMILY\((\w+),\s*"(dfopt_\w+)"', text)}


def series():
    return {name + suffix for name, kind in families().items() for suffix in SUFFIXES[kind]}


class Monitoring(unittest.TestCase):
    def tool(self, *command):
        if not shutil.which(command[0]):
            self.skipTest(f"not installed: {command[0]}")
        r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=120, check=False, text=True)
        self.assertEqual(r.returncode, 0, r.stdout)
        return r.stdout

    def test_metrics_are_there(self):
        self.assertGreater(len(families()), 20)
        for path in sorted(MONITORING.iterdir()):
            used = set(METRIC.findall(path.read_text(encoding="utf-8"))) - {"dfopt_mpi"}
            self.assertEqual(used - series(), set(), path.name)

    def test_document(self):
        """The table of docs/monitoring.md has each family once, with its type."""
        found = {}
        for line in (TOP / "docs" / "monitoring.md").read_text(encoding="utf-8").splitlines():
            row = re.match(r"\| (`dfopt_.*?) \| (\w+) \|", line)
            for name in re.findall("`(dfopt_[a-z_]+)`", row[1]) if row else ():
                self.assertNotIn(name, found)
                found[name] = row[2]
        named = {name + (SUFFIXES[kind][0] if kind in ("counter", "info") else ""): kind
                 for name, kind in families().items()}
        self.assertEqual(found, named)

    def test_dashboard(self):
        board = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
        places = set()
        for panel in board["panels"]:
            self.assertTrue(panel["targets"], panel["title"])
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(places & cells, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            places |= cells

    def test_config(self):
        self.tool("promtool", "check", "rules", str(MONITORING / "rules.yml"))
        self.tool("promtool", "check", "config", str(MONITORING / "prometheus.yml"))

    def test_alerts(self):
        rules = (TOP / "tests" / "cluster" / "rules_test.yml").read_text(encoding="utf-8")
        alerts = re.findall(r"- alert: (\w+)",
                            (MONITORING / "rules.yml").read_text(encoding="utf-8"))
        for alert in alerts:
            self.assertIn(f"alertname: {alert}", rules)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
            f.write(rules.replace("RULES", str(MONITORING / "rules.yml")))
            f.flush()
            self.tool("promtool", "test", "rules", f.name)

    def test_units(self):
        """systemd takes them, with the script where it is now and without the manual."""
        with tempfile.TemporaryDirectory() as d:
            for unit in UNITS.glob("*.service"):
                text = unit.read_text(encoding="utf-8").replace(
                    "/usr/share/dfopt-mpi/jobs", str(TOP / "jobs"))
                lines = [s for s in text.splitlines(True) if not s.startswith("Documentation")]
                name = unit.name.replace("@", "@7")
                (pathlib.Path(d) / name).write_text("".join(lines), encoding="utf-8")
                drop_in = pathlib.Path(d) / (name + ".d")
                drop_in.mkdir()
                shutil.copy(UNITS / "job.conf", drop_in)
                out = self.tool("systemd-analyze", "verify", f"{d}/{name}")
                self.assertEqual(out, "")

    def test_job(self):
        """A job's metrics are announced while it runs, and no longer."""
        program = os.environ.get("DFOPT_PROGRAM")
        if not program:
            self.skipTest("DFOPT_PROGRAM is not set")
        with tempfile.TemporaryDirectory() as d:
            r = subprocess.run(
                ["sh", "-c", '. "$jobs/site.sh" && . "$jobs/common.sh" && '
                             '. "$jobs/service.sh" && begin && serve "$@"', "sh",
                 "sh", "-c", 'cat "$DFOPT_TARGETS/7.json"'],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90,
                check=False, env=dict(
                    os.environ, jobs=str(TOP / "jobs"), job_id="7", nodes="localhost",
                    DFOPT_BIN=os.path.dirname(program), DFOPT_RESULTS=d,
                    DFOPT_TARGETS=d + "/targets", DFOPT_METRICS="*:0", DFOPT_RANKS="1",
                    DFOPT_SERVICE_NODES="0", DFOPT_LAUNCHER="none",
                    DFOPT_INTERFACE="127.0.0.1"))
            self.assertEqual(r.returncode, 0, r.stdout)
            line = [s for s in r.stdout.splitlines() if s.startswith("[{")]
            target = json.loads(line[0])[0]
            self.assertEqual(target["labels"], {"job_id": "7"})
            host, _, port = target["targets"][0].rpartition(":")
            self.assertEqual(host, os.uname().nodename)
            self.assertGreater(int(port), 0)
            self.assertEqual(os.listdir(d + "/targets"), [])


if __name__ == "__main__":
    unittest.main()
