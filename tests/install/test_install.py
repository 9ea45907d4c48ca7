#!/usr/bin/env python3
"""What is installed, by cmake --install and as a Debian package: used from outside."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = os.environ["DFOPT_BUILD"]
VERSION = os.environ["DFOPT_VERSION"]
TIMEOUT_S = 120

CMAKE = """\
cmake_minimum_required(VERSION 3.21)
project(outside C)
find_package(dfoptClient {version} REQUIRED)
foreach(kind client client_static)
  add_executable(tune_${{kind}} {source})
  target_link_libraries(tune_${{kind}} PRIVATE dfopt::${{kind}})
endforeach()
"""


class Installed(unittest.TestCase):
    """Tests of a tree with bin, include, lib and share."""
    prefix = None

    def run_it(self, *command, **more):
        env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1",
               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **more.pop("env", {})}
        r = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, env=env,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                           timeout=TIMEOUT_S, universal_newlines=True, **more)
        self.assertEqual(r.returncode, 0, "%s\n%s" % (" ".join(map(str, command)), r.stdout))
        return r.stdout

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dfopt-install-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def it_runs(self, program):
        logged = self.run_it(program, env={"LD_LIBRARY_PATH": str(self.lib)})
        self.assertEqual(logged, "%s: 1 plan, threads 4\n" % VERSION)

    @property
    def lib(self):
        (found,) = {p.parent for p in self.prefix.rglob("libdfopt_client.so")}
        return found

    def by_pkg_config(self):
        env = {"PKG_CONFIG_PATH": str(self.lib / "pkgconfig")}
        self.assertEqual(self.run_it("pkg-config", "--modversion", "dfopt-client",
                                     env=env).strip(), VERSION)
        flags = self.run_it("pkg-config", "--cflags", "--libs", "dfopt-client",
                            env=env).split()
        program = self.folder / "tune"
        self.run_it("cc", "-Wall", "-Werror", HERE / "tune.c", "-o", program, *flags)
        self.it_runs(program)

    def by_cmake(self):
        source = self.folder / "outside"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(
            CMAKE.format(version=VERSION, source=HERE / "tune.c"), encoding="utf-8")
        self.run_it("cmake", "-S", source, "-B", self.folder / "build",
                    "-DCMAKE_PREFIX_PATH=%s" % self.prefix)
        self.run_it("cmake", "--build", self.folder / "build")
        for kind in ("client", "client_static"):
            self.it_runs(self.folder / "build" / ("tune_" + kind))

    def programs(self):
        """The programs decide something, and read what they have logged."""
        env = {"LD_LIBRARY_PATH": str(self.lib)}
        for name in ("dfopt-mpi", "dfopt-log", "dfopt-demo-loader", "dfopt-ctl"):
            self.assertIn(VERSION, self.run_it(self.prefix / "bin" / name, "--version",
                                               env=env))
        findings = self.folder / "findings.jsonl"
        findings.write_text('{"severity_score":0.5,"scope":"node:n1"}\n' * 10)
        log = self.folder / "log.h5"
        self.run_it("mpirun", "--oversubscribe", "-n", "2", self.prefix / "bin/dfopt-mpi",
                    "--findings-file", findings, "--decision-log", log)
        self.assertIn("findings 10,", self.run_it(
            self.prefix / "bin/dfopt-log", "summary", "--all", log))
        self.assertIn("no_knobs", self.run_it(self.prefix / "bin/dfopt-log", "dump", log))

    def mpiio(self):
        """The library finds the application library beside it."""
        shown = self.run_it("ldd", self.lib / "libdfopt_mpiio.so")
        self.assertIn(str(self.lib / "libdfopt_client.so.0"), shown)

    def files(self):
        share = self.prefix / "share"
        for name in ("man/man1/dfopt-mpi.1", "man/man3/dfopt-client.3", "man/man5/dfopt-policy.5",
                     "man/man5/dfopt-decision-log.5", "man/man7/dfopt-mpiio.7",
                     "dfopt-mpi/pytorch/policy.json",
                     "dfopt-mpi/mpiio/romio.json", "dfopt-mpi/mpiio/ompio.json",
                     "dfopt-mpi/mpiio/policy.json",
                     "dfopt-mpi/jobs/slurm/online.sbatch", "dfopt-mpi/jobs/flux/online.sh",
                     "dfopt-mpi/jobs/site.sh", "dfopt-mpi/analysis/report.py",
                     "doc/dfopt-mpi/README.md",
                     "bash-completion/completions/dfopt-log",
                     "zsh/site-functions/_dfopt"):
            self.assertTrue((share / name).is_file(), name)
        self.assertTrue(os.access(share / "dfopt-mpi/analysis/report.py", os.X_OK))
        name = "libdfopt_client.so"
        self.assertEqual(os.readlink(self.lib / name), name + ".0")
        self.assertEqual(os.readlink(self.lib / (name + ".0")), "%s.%s" % (name, VERSION))
        self.assertTrue((self.lib / ("libdfopt_mpiio.so." + VERSION)).is_file())
        for path in self.prefix.rglob("*"):
            if path.suffix in (".cmake", ".pc", ".sh", ".sbatch", ".py"):
                self.assertNotIn(BUILD, path.read_text(encoding="utf-8"), path)

    def everything(self):
        self.files()
        self.by_pkg_config()
        self.by_cmake()
        self.programs()
        self.mpiio()


class ByCMake(Installed):
    def test_a_prefix_of_its_own(self):
        self.prefix = self.folder / "a prefix"
        self.run_it("cmake", "--install", BUILD, "--prefix", self.prefix)
        # it may be moved: nothing in it knows where it was
        moved = self.folder / "moved"
        self.prefix.rename(moved)
        self.prefix = moved
        self.everything()


@unittest.skipUnless(shutil.which("dpkg-shlibdeps") and shutil.which("dpkg-deb"),
                     "not installed: dpkg-dev")
class AsDebianPackage(Installed):
    def test_package(self):
        self.run_it("cpack", "--config", BUILD + "/CPackConfig.cmake", "-G", "DEB",
                    "-B", self.folder / "cpack", cwd=self.folder)
        (package,) = (self.folder / "cpack").glob("dfopt-mpi_%s*.deb" % VERSION)
        depends = self.run_it("dpkg-deb", "-f", package, "Depends")
        for name in ("libc6", "libzmq5", "libjson-c5", "libhdf5", "libopenmpi3",
                     "openmpi-bin"):
            self.assertIn(name, depends)
        self.assertNotIn("dfopt", depends)
        root = self.folder / "root"
        self.put_into(root, package)
        self.prefix = root / "usr"
        self.everything()

    def put_into(self, root, package):
        """dpkg's own installation, in a system that has nothing but this package."""
        if os.geteuid():
            self.run_it("dpkg-deb", "-x", package, root)
            return
        for name in ("var/lib/dpkg/updates", "var/lib/dpkg/info"):
            (root / name).mkdir(parents=True)
        for name in ("status", "available"):
            (root / "var/lib/dpkg" / name).touch()
        # its scripts call ldconfig, which is not for a tree inside another
        self.run_it("dpkg", "--instdir=%s" % root, "--admindir=%s" % (root / "var/lib/dpkg"),
                    "--log=%s" % (self.folder / "dpkg.log"), "--force-depends",
                    "--force-script-chrootless", "--install", package,
                    env={"LDCONFIG_NOTRIGGER": "y"})
        listed = self.run_it("dpkg-query", "--admindir=%s" % (root / "var/lib/dpkg"),
                             "-W", "-f", "${Status}", "dfopt-mpi")
        self.assertEqual(listed, "install ok installed")


del Installed  # not a test by itself

if __name__ == "__main__":
    unittest.main(verbosity=2)
