#!/usr/bin/env python3
"""With dfopt-mpi: a program whose own hints are harmful leaves them, by itself. Storage
is slow by a fixed time a request, so that this depends on no other load."""
import json
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mpiio import DEADLINE_S, KNOBS, LIBRARY, REFUSE, SLOW, MpiTest, opens


class ClosedLoop(MpiTest):
    def service(self):
        """Its endpoints are in a file, which the environment names."""
        file = self.folder / "endpoints.json"
        options = [f"--{name}=ipc://{self.folder}/{name}" for name in (
            "address", "plans-address", "applications-address")]
        service = self.start([
            os.environ["DFOPT_PROGRAM"], "--transport=zmq", "--bind", "--log-level=warning",
            f"--policy={KNOBS / 'policy.json'}", f"--endpoints-file={file}", *options])
        until = time.monotonic() + DEADLINE_S
        while not file.exists():
            self.assertLess(time.monotonic(), until)
            self.assertIsNone(service.poll())
            time.sleep(0.01)
        return service, {"DFOPT_CLIENT_ENDPOINTS": str(file)}

    def tuned(self, views, opens_, *preload, **more):
        """What strided prints, from a harmful start."""
        env = {"SLOW_REQUEST_US": "3000", "SLOW_MB_PER_S": "100"}
        content = json.loads((KNOBS / "romio.json").read_text(encoding="utf-8"))
        env.update(self.knob_file({**content, "wait_ms": 2000, "min_bytes": 1000}), **more)
        service, endpoints = self.service()
        out, err = self.finish(self.run_strided(
            opens_, "romio_cb_write=disable", "romio_ds_write=disable", blocks=32,
            preload=(LIBRARY, *preload, SLOW), env={**env, **endpoints}, keep=views))
        service.terminate()
        self.finish(service)
        self.assertIn("0 times a rank had other hints, 0 ranks read wrong data", out)
        self.assertEqual(err, "")
        return out

    def test_harmful_start(self):
        out = self.tuned(False, 8)
        had = opens(out)
        self.assertEqual(had[0][1]["romio_cb_write"], "disable")
        self.assertEqual(had[-1][1]["romio_cb_write"], "enable", out)

    def test_a_file_that_stays_open(self):
        self.tuned(True, 8, REFUSE, VIEWS_FILE="views")
        views = [(self.folder / f"views.{rank}").read_text(encoding="utf-8").splitlines()
                 for rank in range(4)]
        self.assertEqual(views, 4 * views[:1])
        self.assertIn("romio_cb_write=disable", views[0][0])
        self.assertIn("romio_cb_write=enable", views[0][-2])  # the last is of the check


if __name__ == "__main__":
    unittest.main()
