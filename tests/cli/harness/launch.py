"""How a program is started: its environment, and mpirun."""
import os

from .config import HERE, Config, is_sanitized


def asan_options(leaks=True):
    return f"detect_leaks={int(leaks)}:intercept_tls_get_addr=0:verify_asan_link_order=0"


def environment(program, extra):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("DFOPTIMIZER_", "DLIO_", "OMPI_COMM_", "PMIX_"))}
    # No start reads the names of all PCI devices, which takes a sanitized one seconds. (Not
    # OMPI_MCA_ess_singleton_isolated: such programs share one session directory of Open
    # MPI's, and one that ends removes it while another begins.)
    env.setdefault("HWLOC_COMPONENTS", "-pci")
    if is_sanitized(program):
        env.setdefault("ASAN_OPTIONS", asan_options())
        env.setdefault("LSAN_OPTIONS", "print_suppressions=0:suppressions="
                       + os.path.join(os.path.dirname(HERE), "lsan.supp"))
    env.update(extra or {})
    return env


def command(program, args, ranks, env, wrapper):
    argv = [*wrapper, program, *map(str, args)]
    preload = Config.mpi_leaks if is_sanitized(program) else ""
    if ranks is None:
        if preload:
            env["LD_PRELOAD"] = preload
        return argv
    mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    if os.geteuid() == 0:
        mpirun.insert(1, "--allow-run-as-root")
    if preload:
        mpirun += ["-x", "LD_PRELOAD=" + preload]
    return mpirun + argv
