"""The page of a run in a real browser: headless Chromium, wide and narrow. Clicks
and keys go through the browser; nothing leaves this machine."""
import itertools
import os
import shutil
import unittest

import support
from support import harness

from dfopt_analysis import gates, load, objective, page_answer

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select, WebDriverWait
    LACKING = "" if shutil.which("chromium") and shutil.which("chromedriver") else \
        "there is no chromium with its chromedriver"
except ImportError:
    LACKING = "there is no python3-selenium"

FEW = ("--knobs", "1", "--nodes", "1")  # few pictures: quick
SIZES = {"desktop": (1280, 900), "phone": (375, 740)}
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
             "--disable-gpu", "--disable-background-networking", "--no-first-run",
             "--disable-component-update", "--disable-sync", "--hide-scrollbars")


def report(name, log, *options):
    path = os.path.join(support.FOLDER, name + ".html")
    r = support.program("report.py", log, "-o", path, *options)
    if r.returncode or r.stderr:
        raise AssertionError(r.stderr)
    return path


class File(unittest.TestCase):
    """What can be checked without a browser."""

    def test_needs_nothing_else(self):
        with open(report("file", support.recorded(), *FEW), encoding="utf-8") as f:
            page = f.read()
        for word in (' src="', "@import", "url(http", "<link rel=\"stylesheet"):
            self.assertNotIn(word, page)
        links = set(w.split('"')[0] for w in page.split('href="')[1:])
        self.assertEqual([w for w in links if not w.startswith(("#", "data:"))], [])
        self.assertLess(len(page), 3_000_000)

    def test_what_can_be_read_is_shown(self):
        """Without findings there are no windows: the rest of the page is there."""
        path = os.path.join(support.FOLDER, "part.html")
        r = support.program("report.py", support.detailed("verdicts"), "-o", path,
                            *FEW)
        self.assertEqual(r.returncode, 0, r.stderr)
        with open(path, encoding="utf-8") as f:
            page = f.read()
        self.assertIn("holds no findings, and so no windows", page)
        verdicts = load(support.recorded()).verdicts["verdict"]
        planned, demands = (verdicts == "planned").sum(), verdicts.isin(gates.GATES).sum()
        self.assertIn(f"{planned:,} of {demands:,} verdicts became plans", page)
        self.assertEqual(page.count('<tr role="row" data-knob='), support.PLANS)

    def test_empty_log(self):
        path = os.path.join(support.FOLDER, "empty.html")
        r = support.program("report.py", support.empty(), "-o", path)
        self.assertEqual(r.returncode, 0, r.stderr)

    def test_most_severe_plans(self):
        with open(report("few", support.recorded(), "--plans", "10", *FEW),
                  encoding="utf-8") as f:
            page = f.read()
        self.assertEqual(page.count('<tr role="row" data-knob='), 10)
        self.assertIn(f"The 10 most severe of {support.PLANS} plans", page)


class Answer(unittest.TestCase):
    """The first sentence: whether the run helped."""

    def check(self, log, *expected):
        found = page_answer.answer(log)
        self.assertTrue(found.startswith('<p class="answer" id="answer"><b>'), found)
        for words in expected:
            self.assertIn(words, found)

    def changed(self, by):
        """The log of a loop whose objective is scaled behind its first plan."""
        log = load(support.closed_loop("contention"))
        frame, first = log.objectives.copy(), objective.first_plan(log)
        late = frame["window"] > first
        frame["value"] = 100.0 + frame["window"] % 2
        frame.loc[late, "value"] *= by
        log.frame = lambda table, columns=None: (
            frame[columns] if table == "objectives" else load(
                support.closed_loop("contention")).frame(table, columns))
        return log

    def test_helped(self):
        self.check(load(support.closed_loop("contention")), "<b>It helped.</b>",
                   "The gain of the objective is +8", "(two standard errors)",
                   "in the 8 windows at the end", "mean of 8 nodes",
                   "By node: 8 of 8 certainly better")
        self.check(load(support.closed_loop("sharedfs")), "<b>It helped.</b>",
                   "(the whole job, medians; more is better)")

    def test_made_it_worse(self):
        self.check(self.changed(0.8), "<b>It made things worse.</b>", "-20.")

    def test_not_certain(self):
        self.check(self.changed(1.01), "<b>Not certain whether it helped.</b>",
                   "A certain gain is at least 3.6 standard errors and 4.0 %.")

    def test_no_plans(self):
        self.check(load(support.closed_loop("compute")),
                   "<b>There was nothing to judge.</b> No plan was made")

    def test_no_objective(self):
        self.check(load(support.closed_loop("contention", True)),
                   "<b>Whether it helped is not known.</b> The run had no objective. "
                   "The planner judged changes by findings alone.", "objective_metric")
        self.check(load(support.impatient()), "did not judge changes (effect severity)")

    def test_it_comes_first(self):
        path = report("answer", support.closed_loop("contention"), *FEW)
        with open(path, encoding="utf-8") as f:
            main = f.read().partition("<main>")[2]
        self.assertLess(main.index("It helped."), 200)
        for words in ("What became of the changes", "The objective by window, with plans",
                      "Gains of the objective by knob", "improved: <b>kept</b>",
                      "worse: <b>taken back</b>"):
            self.assertIn(words, main)


@unittest.skipIf(LACKING, LACKING)
class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = report("page", support.recorded(), "--compare", support.careful(),
                          "--knobs", "2")
        cls.plans = load(support.recorded()).plans
        cls.judged = report("judged", support.closed_loop("latency"), "--knobs", "1")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in ARGUMENTS + (
                f"--user-data-dir={os.path.join(support.FOLDER, 'browser')}",):
            options.add_argument(argument)
        cls.driver = webdriver.Chrome(
            options=options, service=Service(shutil.which("chromedriver")))
        cls.addClassCleanup(cls.driver.quit)
        cls.driver.set_page_load_timeout(30)
        cls.driver.set_script_timeout(30)

    def open(self, size, dark=False, page=None):
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": size == "phone"})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.driver.get("file://" + (page or self.page))
        self.size = size

    def script(self, text, *args):
        return self.driver.execute_script("return " + text, *args)

    def element(self, identity):
        return self.driver.find_element(By.ID, identity)

    def click(self, element):
        self.script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def column(self, number):
        """What the column of the rows on show says."""
        return self.script("Array.from(document.querySelectorAll('#plans tbody tr'))"
                           ".map(r => r.cells[arguments[0]].dataset.v)", number)

    def status(self):
        return self.element("status").text

    def tearDown(self):
        bad = [e for e in self.driver.get_log("browser")]
        self.assertEqual(bad, [])

    def test_no_overflow(self):
        for size, page in itertools.product(SIZES, (self.page, self.judged)):
            for dark in (False, True):
                self.open(size, dark, page)
                width = self.script("document.documentElement.scrollWidth")
                self.assertEqual(width, SIZES[size][0], size)
                beyond = self.script(
                    "Array.from(document.querySelectorAll('body *')).filter(e =>"
                    " e.getBoundingClientRect().right > innerWidth + 1 &&"
                    " !e.closest('.scroll') && !e.closest('svg'))"
                    ".map(e => e.tagName + '.' + e.className)")
                self.assertEqual(beyond, [], size)
                name = os.path.basename(page).partition(".")[0]
                self.keep(f"{name}-{size}-{'dark' if dark else 'light'}")

    def keep(self, name):
        """Screenshots, where DFOPT_SCREENSHOTS names a folder for them."""
        folder = os.environ.get("DFOPT_SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(os.path.join(folder, name + ".png"))

    def test_one_picture_each(self):
        """Of the two drawings of a picture one is on show, with text large enough."""
        for size in SIZES:
            self.open(size)
            for figure in self.driver.find_elements(By.TAG_NAME, "figure"):
                shown = [s for s in figure.find_elements(By.TAG_NAME, "svg")
                         if s.is_displayed()]
                self.assertEqual(len(shown), 1)
                self.assertTrue(shown[0].get_attribute("aria-label"))
            smallest = self.script(
                "Math.min(...Array.from(document.querySelectorAll('svg text'))"
                ".filter(t => t.getBoundingClientRect().width > 0)"
                ".map(t => parseFloat(getComputedStyle(t).fontSize)"
                " * Math.hypot(t.getScreenCTM().a, t.getScreenCTM().b)))")
            self.assertGreaterEqual(smallest, 9, size)

    def test_text_stays_inside_pictures(self):
        for size, page in itertools.product(SIZES, (self.page, self.judged)):
            self.open(size, page=page)
            outside = self.script(
                "Array.from(document.querySelectorAll('figure svg text')).filter(t => {"
                " const b = t.getBoundingClientRect();"
                " const s = t.closest('svg').getBoundingClientRect();"
                " return b.width && (b.left < s.left - 2 || b.right > s.right + 2);"
                "}).map(t => t.textContent)")
            self.assertEqual(outside, [], size)

    def test_dark(self):
        colours = []
        for dark in (False, True):
            self.open("desktop", dark)
            colours.append(self.script(
                "[getComputedStyle(document.body).backgroundColor,"
                " getComputedStyle(document.querySelector('svg text')).fill]"))
        self.assertNotEqual(*colours)
        self.click(self.element("theme"))
        self.assertEqual(self.element("theme").text, "Colours: light")
        self.assertEqual(self.script(
            "getComputedStyle(document.body).backgroundColor"), colours[0][0])

    def test_sort_by_heads(self):
        self.open("desktop")
        heads = self.driver.find_elements(By.CSS_SELECTOR, "#plans th button")
        self.assertEqual(len(heads), 11)
        for number in (4, 0):  # severity, window
            self.click(heads[number])
            up = [float(v) for v in self.column(number)]
            self.assertEqual(up, sorted(up))
            self.click(heads[number])
            down = [float(v) for v in self.column(number)]
            self.assertEqual(down, sorted(down, reverse=True))
            self.assertGreater(down[0], up[0])
        self.click(heads[1])
        first = sorted(self.plans["knob"].astype(str))[:3]
        self.assertEqual(self.column(1)[:3], first)
        self.assertEqual([h.find_element(By.XPATH, "..").get_attribute("aria-sort")
                          for h in heads[:3]], ["none", "ascending", "none"])

    def plans_of(self, knob):
        return int((self.plans["knob"] == knob).sum())

    def test_rows_without_an_effect_come_last(self):
        self.open("desktop")
        head = self.driver.find_elements(By.CSS_SELECTOR, "#plans th button")[8]
        for _ in range(2):
            self.click(head)
            self.assertNotEqual(self.column(8)[0], "")
        Select(self.element("by-knob")).select_by_value("site.layout")
        found = self.column(8)
        self.assertEqual(len(found), self.plans_of("site.layout"))
        there = [v != "" for v in found]
        self.assertEqual(there, sorted(there, reverse=True))
        self.assertEqual(set(there), {True, False})

    def test_sort_on_a_phone(self):
        self.open("phone")
        self.assertFalse(self.driver.find_element(By.CSS_SELECTOR,
                                                  "#plans th button").is_displayed())
        Select(self.element("sort")).select_by_visible_text("Severity")
        up = [float(v) for v in self.column(4)]
        self.assertEqual(up, sorted(up))
        self.click(self.element("turn"))
        self.assertEqual(self.element("turn").text, "descending")
        down = [float(v) for v in self.column(4)]
        self.assertEqual(down, sorted(down, reverse=True))
        self.assertNotEqual(up, down)

    def test_filters(self):
        of_all = f" of {support.PLANS} plans"
        rejected = (load(support.recorded()).acks["outcome"] == "rejected").sum()
        for size in SIZES:
            self.open(size)
            self.assertIn(f"{support.PLANS}{of_all}", self.status())
            Select(self.element("by-knob")).select_by_value("dlio.read_threads")
            self.assertTrue(self.status().startswith(
                f"{self.plans_of('dlio.read_threads')}{of_all}"), self.status())
            self.assertEqual(set(self.column(1)), {"dlio.read_threads"})
            self.click(self.element("clear"))
            self.assertIn(f"{support.PLANS}{of_all}", self.status())
            Select(self.element("by-node")).select_by_visible_text("(whole job)")
            self.assertEqual(set(self.column(2)), {""})
            self.click(self.element("clear"))
            Select(self.element("by-ack")).select_by_value("rejected")
            self.assertTrue(self.status().startswith(f"{rejected}{of_all}"), self.status())
            self.element("find").send_keys("FETCH_PRESSURE")
            self.assertRegex(self.status(), rf"^[1-9]\d*{of_all}$")
            self.assertTrue(all("fetch_pressure" in w for w in self.column(10)))
            self.element("find").send_keys("no such words")
            self.assertEqual(self.status(), "0" + of_all)
            self.assertEqual(self.column(0), [])

    def test_sort_by_gain(self):
        self.open("desktop", page=self.judged)
        head = self.driver.find_elements(By.CSS_SELECTOR, "#plans th button")[7]
        self.assertEqual(head.text, "Gain")
        self.click(head)
        up = [float(v) for v in self.column(7)]
        self.assertEqual(up, sorted(up))
        self.assertLess(up[0], 0)
        why = self.script("document.querySelector('#plans tbody tr').innerText")
        self.assertIn("taken back", why)
        self.assertRegex(why, r"-\d+\.\d % ± \d+\.\d %, certain")

    def test_show_more(self):
        self.open("desktop")
        self.assertEqual(len(self.column(0)), 50)
        for expected in (*range(100, support.PLANS, 50), support.PLANS):
            self.click(self.element("more"))
            self.assertEqual(len(self.column(0)), expected)
        self.assertFalse(self.element("more").is_displayed())

    def test_keyboard(self):
        """By tabs and keys alone: filter, then sort, with a focus to be seen."""
        self.open("desktop")
        self.element("find").send_keys("cache_ratio")
        active = self.driver.switch_to.active_element
        for identity in ("by-knob", "by-node", "by-ack", "clear"):
            active.send_keys(Keys.TAB)
            active = self.driver.switch_to.active_element
            self.assertEqual(active.get_attribute("id"), identity)
        active.send_keys(Keys.TAB)
        head = self.driver.switch_to.active_element
        self.assertEqual(head.text, "Window")
        self.assertEqual(self.script("getComputedStyle(arguments[0]).outlineStyle",
                                     head), "solid")
        head.send_keys(Keys.ENTER)
        head.send_keys(Keys.SPACE)
        found = [int(v) for v in self.column(0)]
        self.assertEqual(found, sorted(found, reverse=True))
        self.assertEqual(set(self.column(1)), {"site.cache_ratio"})

    def test_every_control_has_a_name(self):
        self.open("phone")
        for control in self.driver.find_elements(By.CSS_SELECTOR,
                                                 "input, select, button, a"):
            if control.is_displayed():
                self.assertTrue(control.accessible_name.strip(),
                                control.get_attribute("outerHTML"))

    def test_reasons_are_there(self):
        self.open("phone")
        why = self.driver.find_element(By.CSS_SELECTOR, "#plans td.full")
        self.assertIn("severity=", why.text)
        self.assertIn("plan_0000", why.text)
        WebDriverWait(self.driver, 10).until(lambda d: why.is_displayed())


if __name__ == "__main__":
    harness.main()
