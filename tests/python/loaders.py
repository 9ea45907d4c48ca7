"""For the tests of TunableLoader: data sets that tell who loaded what, and what a process
still holds. Ends with 77, which ctest takes as skipped, where torch cannot be imported."""
import gc
import multiprocessing
import os
import sys
import warnings
from itertools import islice

from peer import wait_until

try:
    import torch
    from torch.utils.data import Dataset, IterableDataset, Sampler, get_worker_info
except ImportError as e:
    print(f"skipped: torch cannot be imported ({e}); sh jobs/packages.sh ml installs it")
    sys.exit(77)

warnings.filterwarnings("ignore", message="This DataLoader will create")
torch.set_num_threads(1)


class Numbers(Dataset):
    """Each sample: its number, the seed of the worker, and what chance gives there."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        worker = get_worker_info()
        return i, worker.seed if worker else -1, torch.rand(())


class Content(Dataset):
    """What depends on the number alone."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i, torch.full((3,), float(i * i))


class Stream(IterableDataset):
    """Divides its numbers among the workers."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for i in range(first, self.n, step):
            yield i, worker.seed if worker else -1, torch.rand(())


class Drawn(Sampler):
    """Draws from the global generator when its iterator is made, not when it runs."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter(torch.randperm(self.n).tolist())


class Batches(Drawn):
    """The same as a sampler of batches, of lengths that differ."""

    def __iter__(self):
        order = torch.randperm(self.n).tolist()
        return iter([order[i:i + 1 + i % 5] for i in range(0, self.n, 5)])


def first_worker(_):
    torch.rand(3)  # moves the generator of the worker


def plain(batch):
    """As Python's own values, to be compared."""
    return [x.tolist() if hasattr(x, "tolist") else x for x in batch]


def epochs(loader, n, seed=5, most=None):
    """What n epochs, or the first batches of each, give, with what the global generator gives
    between them."""
    torch.manual_seed(seed)
    out = []
    for _ in range(n):
        out += [plain(batch) for batch in islice(loader, most)]
        out.append(torch.rand(()).item())
    return out


def held():
    """Descriptors, shared memory and processes of this process."""
    gc.collect()
    return (len(os.listdir("/proc/self/fd")),
            len([n for n in os.listdir("/dev/shm") if str(os.getpid()) in n]),
            len(multiprocessing.active_children()))


def wait_for_workers(n=0):
    """Until n are left: torch gives a worker 5 s to end, terminates it, and goes on."""
    wait_until(lambda: held()[2] == n, f"{n} workers")
