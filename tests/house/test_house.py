#!/usr/bin/env python3
"""The checks themselves: each finds what it is for, by file and line, and nothing else."""
import pathlib
import tempfile
import unittest

import arrows
import files
import sizes
import words

README = """# Map

| folder | uses | what it is |
|---|---|---|
| `base` | | bytes |
| `model` | `base` | data |
"""
GOOD = {"src/README.md": README, "src/base/buf.h": "", "src/base/buf.c": '#include "base/buf.h"\n',
        "src/model/value.c": '#include "base/buf.h"\n#include "dfopt/error.h"\n'}


class HouseCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dfopt-house-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()

    def build(self, files):
        for name, text in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


class Arrows(HouseCase):

    def test_good(self):
        self.build(GOOD)
        self.assertEqual(list(arrows.check(self.top)), [])

    def test_include_up(self):
        self.build({**GOOD, "src/base/up.c": '\n#include "model/value.h"\n'})
        self.assertEqual(list(arrows.check(self.top)), [
            "src/base/up.c:2: 'base' may not use 'model' (src/README.md:5)"])

    def test_row_without_folder(self):
        self.build({**GOOD, "src/README.md": README + "| `gone` | `base` | nothing |\n"})
        self.assertEqual(list(arrows.check(self.top)), [
            "src/README.md:7: there is no folder 'gone' with source in it"])

    def test_folder_without_row(self):
        self.build({**GOOD, "src/new/file.c": ""})
        self.assertEqual(list(arrows.check(self.top)), [
            "src/README.md:1: no row for the folder 'new'"])

    def test_arrow_without_include(self):
        self.build({**GOOD, "src/model/value.c": ""})
        self.assertEqual(list(arrows.check(self.top)), [
            "src/README.md:6: 'model' does not use 'base'"])

    def test_arrow_up(self):
        up = README.replace("| `base` | |", "| `base` | `model` |")
        self.build({**GOOD, "src/README.md": up, "src/base/up.c": '#include "model/value.h"\n'})
        self.assertEqual(list(arrows.check(self.top)), [
            "src/README.md:5: 'base' uses 'model', which is not above it"])


class Words(HouseCase):
    def found(self, text, name="docs/a.md"):
        self.build({name: text})
        return [line.partition(name + ":")[2] for line in words.check(self.top)]

    def test_gone(self):
        for text in ("the lead waits", "rank 0 puts out plans", "a\n * wave of variants",
                     "the run goes on\n * with it", "dfopt_bulk_read", "three rounds",
                     "it is said once", "the next piece", "records taken in", "/* put_out */"):
            with self.subTest(text):
                self.assertEqual(len(self.found(text)), 1)

    def test_line(self):
        self.assertEqual(self.found("\n\nall goes on\nwith it"),
                         ["3: 'goes on with': resume (a run); continue"])

    def test_stays(self):
        for text in ("it leads to a plan", "the other way round", "piece by piece",
                     "piece by\npiece", "round(x, 3)", "taken in the order of", "doorbell"):
            with self.subTest(text):
                self.assertEqual(self.found(text), [])

    def test_scope(self):
        """A peer of ZMQ is one; between ranks it is a worker."""
        self.assertEqual(self.found("a peer", "src/net/zmq/a.h"), [])
        self.assertEqual(self.found("a peer", "src/engine/a.h"), ["1: 'peer': worker"])


class Map(HouseCase):
    ROWS = "\n| folder | files |\n|---|---|\n| `base` | `buf` |\n| `model` | `value` (data) |\n"

    def check(self, **more):
        self.build({**GOOD, "src/README.md": README + self.ROWS, **more})
        return list(files.check(self.top))

    def test_good(self):
        self.assertEqual(self.check(), [])

    def test_file_without_name(self):
        self.assertEqual(self.check(**{"src/model/new.h": ""}), [
            "src/README.md:11: 'model' has a file 'new', which is not named"])

    def test_name_without_file(self):
        (self.top / "src").mkdir()
        rows = self.ROWS.replace("`buf`", "`buf`, `gone`")
        self.assertEqual(self.check(**{"src/README.md": README + rows}), [
            "src/README.md:10: there is no file 'gone' in 'base'"])

    def test_folder_without_row(self):
        self.assertEqual(self.check(**{"src/extra/file.c": ""}), [
            "src/README.md:1: no row with the files of 'extra'"])


class Sizes(HouseCase):
    def check(self, files):
        self.build({name + "/x": "" for name in sizes.LARGE_FOLDERS})
        self.build(files)
        return list(sizes.check(self.top))

    def test_file(self):
        self.assertEqual(self.check({"src/a/a.c": "\n" * 500}), [])
        self.assertEqual(self.check({"tests/a.py": "\n" * 501}),
                         ["tests/a.py:501: more than 500 lines"])

    def test_folder(self):
        files = {f"src/a/{n}.c": "\n" * 450 for n in range(7)}
        self.assertEqual(self.check(files),
                         ["src/a: 3150 lines, more than 2700: two folders?"])

    def test_wide_line(self):
        wide = "word " * 21
        self.assertEqual(self.check({"docs/a.md": f"a\n{wide}\n"}),
                         ["docs/a.md:2: more than 100 columns"])
        self.assertEqual(self.check({"docs/a.md": f"| {wide}|\n```text\n{wide}\n```\n"}), [])

    def test_exceptions_exist(self):
        self.build({"src/a.c": ""})
        self.assertEqual(len(list(sizes.check(self.top))),
                         len(sizes.LARGE_FOLDERS))


if __name__ == "__main__":
    unittest.main()
