#!/usr/bin/env python3
"""Window, with a tracer that writes down what it is told."""
import unittest

import dfopt_client as d


class Tracer:
    def __init__(self):
        self.now, self.depth, self.events = 0, 0, []

    def get_time(self):
        self.now += 10
        return self.now

    def enter_event(self):
        self.depth += 1

    def exit_event(self):
        self.depth -= 1

    def log_event(self, name, cat, start_time, duration, int_args):
        assert self.depth == 1 and cat == "window"
        values = {}
        for key, (kind, value) in int_args.items():
            assert kind == 0
            values[key] = value
        self.events.append((name, start_time, duration, values))


def event(name, start, duration, index, every, counter, **more):
    return (name, start, duration,
            {"window_index": index, "every_n": every, "counter": counter, **more})


class WindowTest(unittest.TestCase):
    def test_every_iteration(self):
        t = Tracer()
        w = d.Window(t)
        for _ in range(2):
            self.assertTrue(w.start())
            self.assertTrue(w.stop())
        self.assertFalse(w.stop())
        self.assertEqual(t.events, [
            event("window.start", 10, 0, 1, 1, 1), event("window.stop", 10, 10, 1, 1, 1),
            event("window.start", 30, 0, 2, 1, 2), event("window.stop", 30, 10, 2, 1, 2)])
        self.assertEqual((w.every_n, w.window_index, w.counter), (1, 2, 2))
        self.assertFalse(w.flush())
        self.assertEqual(w.counter, 0)

    def test_cadence_and_flush(self):
        t = Tracer()
        w = d.Window(t, max_every_n=3)
        w.increase_cadence()
        w.increase_cadence()
        self.assertEqual(w.every_n, 3)
        told = [(w.start(), w.stop()) for _ in range(4)]
        self.assertEqual(told, [(True, False), (False, False), (False, True), (True, False)])
        self.assertTrue(w.flush())
        self.assertEqual(t.events[-1], event("window.stop", 30, 10, 2, 3, 4, flush=1))
        w.decrease_cadence()
        self.assertEqual(w.every_n, 1)
        w.update_cadence(99)
        self.assertEqual(w.every_n, 3)
        w.update_cadence(-1)
        self.assertEqual(w.every_n, 1)

    def test_a_part_that_no_boundary_ended(self):
        t = Tracer()
        w = d.Window(t)
        w.start()
        w.update_cadence(2)
        w.stop()
        w.flush()
        w.start()
        w.start()
        w.stop()
        w.start()
        t.events.clear()
        w.stop()
        self.assertTrue(w.flush())
        self.assertEqual(len(t.events), 1)
        self.assertEqual(t.events[0][3]["flush"], 1)

    def test_nobody_is_told(self):
        w = d.Window()
        self.assertTrue(w.start() and w.stop())
        with self.assertRaises(d.ArgumentError):
            d.Window(None, max_every_n=0)


if __name__ == "__main__":
    unittest.main()
