#!/usr/bin/env python3
"""Whose a knob is: one id has one function, however often that is declared."""
import unittest

import dfopt_client as d
from dfopt_client import context as context_module
from test_callables import KNOBS, CallablesTest, hidden


class Owners(CallablesTest):
    def setUp(self):
        self.forget()
        context_module._functions.clear()
        self.addCleanup(context_module._functions.clear)

    def test_one_id_one_function(self):
        def train_loader(num_workers):
            return num_workers

        def val_loader(num_workers):
            return num_workers

        keep = d.tunable(knobs={"num_workers": d.knob(default=2)})(train_loader)
        again = d.tunable(knobs={"num_workers": d.knob(default=2)})(train_loader)
        with self.assertRaisesRegex(d.StateError, "val_loader.num_workers"):
            d.tunable(knobs={"num_workers": d.knob(default=2)})(val_loader)
        other = d.tunable(knobs={"num_workers": d.knob(
            default=2, id="val_loader.num_workers")})(val_loader)
        self.assertEqual([t._tunable.knob_defs("app")["num_workers"].id
                          for t in (keep, again, other)],
                         ["app.num_workers", "app.num_workers", "app.val_loader.num_workers"])

    def test_functions_of_one_name(self):
        """Of two modules they are two; a module that is loaded again declares it again."""
        def load_from(module, file, **options):
            names = {"d": d, "__name__": module, "knobs": {"a": d.knob(default=2, **options)}}
            exec(compile("@d.tunable(knobs=knobs)\ndef load(a):\n    return a", file, "exec"),
                 names)
            return names["load"]

        keep = [load_from("train", "train.py")]
        for module, file in (("train", "train.py"), ("__main__", "train.py")):
            keep.append(load_from(module, file))
        with self.assertRaisesRegex(d.StateError, "'load' of (train|__main__) .*"  # any of keep
                                                  "'load' of check .*'load.a'"):
            load_from("check", "check.py")
        other = load_from("check", "check.py", id="load.a")
        self.assertEqual([t._tunable.func_name for t in (*keep, other)],
                         ["load"] * 3 + ["check.load"])
        self.assertEqual(other._tunable_func_name, "check.load")

    def test_twice(self):
        """As once with the knobs of both, also with another decorator between them."""
        def load(a, b=3):
            return a, b

        for between in (lambda func: func, hidden):
            below = d.tunable(knobs={"b": d.knob(default=3, range=(1, 64))})
            context_module._functions.clear()
            context, context_module._global_context = context_module._global_context, None
            tuned = d.tunable(knobs=KNOBS)(between(below(load)))
            self.assertEqual(len(context_module._functions), 1)
            context_module._global_context = context
            for call in (lambda f: f(2), lambda f: f(2, 3), lambda f: f(a=2, b=3)):
                self.start()
                tuned._tunable.held.clear()
                self.plan(tuned)
                self.client.enqueue({"plan_id": "q", "knob_id": "app.b", "new_value": 9,
                                     "target_function": tuned._tunable.func_name})
                self.assertEqual([call(tuned), call(tuned)], [(8, 9)] * 2)
                self.assertEqual(sorted((self.peer.ack()["new_value"] for _ in range(2))), [8, 9])


if __name__ == "__main__":
    unittest.main()
