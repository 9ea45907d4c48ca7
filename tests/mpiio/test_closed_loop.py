#!/usr/bin/env python3
"""With dfopt-mpi: a program whose own hints are harmful leaves them, by itself. Storage
is slow by a fixed time a request, so that this depends on no other load."""
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mpiio import KNOBS, LIBRARY, SLOW, MpiTest, opens

STREAMS = {"address": "FINDINGS", "plans-address": "PLANS", "registry-address": "REGISTRY",
           "acks-address": "ACKS", "objectives-address": "OBJECTIVES"}


class ClosedLoop(MpiTest):
    def test_harmful_start(self):
        env = {"SLOW_REQUEST_US": "3000", "SLOW_MB_PER_S": "100"}
        content = json.loads((KNOBS / "romio.json").read_text(encoding="utf-8"))
        env.update(self.knob_file({**content, "wait_ms": 2000, "min_bytes": 1000}))
        options = ["--transport=zmq", "--bind", "--log-level=warning",
                   f"--policy={KNOBS / 'policy.json'}"]
        for option, name in STREAMS.items():
            env["DFOPT_CLIENT_" + name] = f"ipc://{self.folder}/{name}"
            options.append(f"--{option}=ipc://{self.folder}/{name}")
        service = self.start([os.environ["DFOPT_PROGRAM"], *options])
        out, err = self.finish(self.run_strided(
            8, "romio_cb_write=disable", "romio_ds_write=disable", env=env, blocks=32,
            preload=(LIBRARY, SLOW)))
        service.terminate()
        self.finish(service)
        self.assertIn("0 times a rank had other hints, 0 ranks read wrong data", out)
        self.assertEqual(err, "")
        had = opens(out)
        self.assertEqual(had[0][1]["romio_cb_write"], "disable")
        self.assertEqual(had[-1][1]["romio_cb_write"], "enable", out)


if __name__ == "__main__":
    unittest.main()
