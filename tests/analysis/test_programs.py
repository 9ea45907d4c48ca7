"""The programs as their users run them, and the pictures that they make."""
import os
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

import support
from support import harness

import matplotlib
from dfopt_analysis import (compare, effect, gates, load, objective, page_objective,
                            timeline, windows)
from dfopt_analysis.plots import (compare_plot, effect_plot, gates_plot, heat_plot,
                                  objective_plot, style, timeline_plot)
from matplotlib.backends.backend_agg import FigureCanvasAgg


def path(name):
    return os.path.join(support.FOLDER, name)


class CommandLine(unittest.TestCase):
    def test_help(self):
        """Quick, and needs no package: the system's Python without any."""
        for name in support.PROGRAMS:
            r = support.program(name, "--help", env={"PYTHONPATH": "", "PATH": ""})
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertIn("Exit status: 0 success", r.stdout)
            self.assertIn(name, r.stdout)
            self.assertLessEqual(max(map(len, r.stdout.splitlines())), 88)

    def test_bad_options(self):
        for args in ((), ("x.h5", "--windows", "5"), ("x.h5", "--windows", "9:3"),
                     ("x.h5", "-o", "p.jpeg"), ("x.h5", "--no-such-option")):
            r = support.program("heatmap.py", *args)
            self.assertEqual(r.returncode, 2, args)
            self.assertIn("heatmap.py: error:", r.stderr)

    def test_bad_files(self):
        with open(path("text.h5"), "wb") as f:
            f.write(b"no log\n")
        for name in support.PROGRAMS:
            files = ["text.h5", "text.h5"] if name == "compare.py" else ["text.h5"]
            more = ["-o", path("x.html")] if name == "report.py" else []
            r = support.program(name, *map(path, files), *more)
            self.assertEqual(r.returncode, 1)
            self.assertEqual(r.stderr,
                             f"{name}: {path('text.h5')}: not an HDF5 file\n")

    def test_unwritable(self):
        for option, name in (("-o", "no/such/x.svg"), ("--csv", "no/such/x.csv")):
            r = support.program("funnel.py", support.recorded(), option, path(name))
            self.assertEqual(r.returncode, 1)
            self.assertEqual(r.stderr, f"funnel.py: {path(name)}: No such file or "
                                       "directory\n")

    def test_missing_package(self):
        folder = path("hidden")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "h5py.py"), "w", encoding="utf-8") as f:
            f.write("raise ImportError('No module named h5py', name='h5py')\n")
        r = support.program("funnel.py", support.recorded(),
                            env={**os.environ, "PYTHONPATH": folder})
        self.assertEqual(r.returncode, 1)
        self.assertIn("apt-get install python3-h5py", r.stderr)

    def test_closed_output(self):
        argv = [sys.executable, os.path.join(support.ANALYSIS, "timeline.py"),
                support.recorded()]
        reader, writer = os.pipe()
        os.close(reader)
        r = subprocess.run(argv, stdout=writer, stderr=subprocess.PIPE, timeout=60)
        os.close(writer)
        self.assertEqual((r.returncode, r.stderr), (0, b""))

    def test_nothing_to_show(self):
        for name, logged in (("funnel.py", "holds no verdicts"),
                           ("effect.py", "holds no plans"),
                           ("heatmap.py", "holds no verdicts"),
                           ("timeline.py", "holds no plans; give --knob")):
            r = support.program(name, support.empty())
            self.assertEqual(r.returncode, 1)
            self.assertIn(logged, r.stderr)
        r = support.program("heatmap.py", support.detailed("verdicts"))
        self.assertIn("holds no findings, and so no windows (detail verdicts)",
                      r.stderr)
        r = support.program("timeline.py", support.recorded(), "--node", "nowhere")
        self.assertIn("no finding is about a node 'nowhere'", r.stderr)

    def test_tables(self):
        log = support.recorded()
        funnel = support.program("funnel.py", log)
        verdicts = load(log).verdicts["verdict"]
        planned = (verdicts == "planned").sum()
        of_demands = verdicts.isin(gates.GATES).sum()
        self.assertRegex(funnel.stdout, rf"planned +{planned} +{planned} +"
                         rf"{100 * planned / of_demands:.1f}%")
        r = support.program("effect.py", log, "--csv", "-")
        self.assertEqual(len(r.stdout.splitlines()), 1 + support.PLANS)
        r = support.program("effect.py", support.closed_loop("contention"))
        self.assertRegex(r.stdout, r"kept +taken_back +certain +gain\nknob +\nthreads")
        r = support.program("timeline.py", log, "--knob", "site.layout", "--csv", "-")
        plans = load(log).plans
        first = plans[plans["knob"] == "site.layout"]["plan_id"].iloc[0]
        self.assertIn(f"balanced,plan,{first}", r.stdout)
        r = support.program("compare.py", log, support.careful())
        self.assertRegex(r.stdout, r"plans: \d+ the same, \d+ differ")
        r = support.program("heatmap.py", log, "--windows", "2:3", "--csv", "-")
        self.assertEqual(r.stdout.splitlines()[0], "node,2,3")

    def test_types(self):
        if not shutil.which("mypy"):
            self.skipTest("there is no mypy")
        r = subprocess.run(
            ["mypy", "--strict", "--ignore-missing-imports", "--cache-dir", os.devnull,
             "dfopt_analysis", *support.PROGRAMS], cwd=support.ANALYSIS, timeout=300,
            capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stdout)


class Pictures(unittest.TestCase):
    """Each plot at 1, 16 and many nodes, wide and narrow: nothing is cut off."""

    def figures(self, log, look):
        counts, frame = gates.funnel(log), windows.survey(log)
        yield "funnel", gates_plot.funnel(gates.steps(counts), look)
        yield "by_knob", gates_plot.by_knob(gates.by_knob(counts, 12), look)
        yield "heat", heat_plot.heat_map(gates.heat(log, frame), frame, look, 32)
        knobs = [str(k) for k in timeline.moved_knobs(log).index[:2]]
        for line in timeline.timelines(log, frame, knobs):
            yield line.knob, timeline_plot.timeline(line, look)
        table = effect.effects(log, frame)
        rows = log.outcomes.rename(columns={"standard_error": "error"})
        yield "gains", objective_plot.gains(rows, knobs, look)
        made = objective.course(log)
        if made is not None:
            yield "course", objective_plot.course(
                made, page_objective.fates(log), objective.whole(log), look)
        yield "effect", effect_plot.effect(table, effect.by_knob(table), look, 5)
        yield "compare", compare_plot.compare(compare.compare(log, log), look)

    def check(self, log, look, name):
        for what, fig in self.figures(log, look):
            with self.subTest(log=name, look=look.inches, what=what), \
                    matplotlib.rc_context(style.settings(look)):
                FigureCanvasAgg(fig).draw()
                box, beyond = fig.bbox.padded(1), self.beyond_ends(fig)
                texts = [t for t in fig.findobj(matplotlib.text.Text)
                         if t.get_visible() and t.get_text()]
                outside = [t.get_text() for t in texts if t.get_text() not in beyond
                           and not self.inside(box, t.get_window_extent())]
                self.assertEqual(outside, [])
                small = [t.get_text() for t in texts if t.get_fontsize() < 7]
                self.assertEqual(small, [])

    @staticmethod
    def inside(box, e):
        return e.width == 0 or (box.x0 <= e.x0 and e.x1 <= box.x1
                                and box.y0 <= e.y0 and e.y1 <= box.y1)

    @staticmethod
    def beyond_ends(fig):
        """Labels of ticks beyond the ends of their axis: they are not drawn."""
        found = set()
        for ax in fig.findobj(matplotlib.axes.Axes):
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                found |= {t.get_text() for p, t in zip(axis.get_ticklocs(),
                                                       axis.get_ticklabels())
                          if not low <= p <= high}
        return found

    def test_sizes(self):
        style.quiet()
        phone = style.Look(style.PHONE_INCHES)
        for name, log, look in (("1", support.session(1, 30), phone),
                                ("16", support.recorded(), style.Look()),
                                ("300", support.session(300, 8), phone),
                                ("loop", support.closed_loop("latency"), phone),
                                ("job", support.closed_loop("sharedfs"), style.Look())):
            self.check(load(log), look, name)

    def test_files(self):
        """Every format; the same picture gives the same bytes."""
        made = {}
        for name in ("one.svg", "two.svg", "one.png", "one.pdf"):
            r = support.program("funnel.py", support.recorded(), "-o", path(name),
                                "--theme", "dark")
            self.assertEqual((r.returncode, r.stderr, r.stdout), (0, "", ""))
            with open(path(name), "rb") as f:
                made[name] = f.read()
        self.assertEqual(made["one.svg"], made["two.svg"])
        for name, start in (("one.svg", b"<?xml"), ("one.png", b"\x89PNG"),
                            ("one.pdf", b"%PDF")):
            self.assertTrue(made[name].startswith(start))

    def test_odd_names(self):
        """Names from a log can be anything; a picture stays well-formed."""
        odd = 'a$b$<&"\'\x1b[31m\u202e' + "x" * 200
        source = path("odd.jsonl")
        with open(source, "wb") as f:
            knob = harness.knob(odd, dataloader_prefetch=harness.response())
            f.write(harness.lines([harness.event("registration",
                                                 harness.registration(knob))]))
            f.write(harness.lines(harness.event("finding", harness.finding(w, odd))
                                  for w in range(1, 9)))
        log = support.replay("odd", source)
        for name in ("funnel.py", "heatmap.py", "timeline.py", "effect.py"):
            r = support.program(name, log, "-o", path("odd.svg"))
            self.assertEqual((r.returncode, r.stderr), (0, ""), name)
            ElementTree.parse(path("odd.svg"))
        r = support.program("report.py", log, "-o", path("odd.html"))
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        with open(path("odd.html"), encoding="utf-8") as f:
            self.assertNotIn('b$<&"', f.read())

    def test_colours_are_roles(self):
        """Each colour of a picture is a role, so that the page can have it dark."""
        self.assertEqual(len(set(style.LIGHT.values())), len(style.LIGHT))
        self.assertEqual(set(style.LIGHT), set(style.DARK))
        self.assertEqual(len(style.Look().groups()), len(gates.GROUPS))
        log = load(support.closed_loop("latency"))
        for number, (what, fig) in enumerate(self.figures(log, style.Look())):
            svg = style.inline(fig, f"f{number}-", "wide", what)
            self.assertEqual(re.findall(r"#[0-9a-f]{6}\b", svg), [], what)
            ids = re.findall(r'(?<![\w-])id="([^"]*)"', svg)
            self.assertEqual(len(ids), len(set(ids)), what)
            wanted = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)
            self.assertLessEqual({a or b for a, b in wanted}, set(ids), what)


if __name__ == "__main__":
    harness.main()
