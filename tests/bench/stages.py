"""Where a program's time goes, by stage: perf samples it, the names of functions tell
the stages apart."""
import collections
import os
import re
import shutil
import subprocess

# The first that fits the function's name or its library.
STAGES = (
    ("simdjson, first stage", r"simdjson"),
    ("deflate", r"libdeflate|libisal"),
    ("split into lines", r"memchr|next_line|framer|dfopt_split"),
    ("walk over the tokens, numbers", r"read_field|read_body|read_list|read_real|dfopt::skip|"
                                      r"from_chars|finding_fast|codec_decode"),
    ("interning", r"intern|pool_find|dfopt_dict|symmap|XXH"),
    ("planner", r"dfopt_planner|dfopt_slots|dfopt_step|dfopt_shard|gates|dfopt_value|number"),
    ("rows to columns", r"gather|take_byte|dfopt_pack|dfopt_chunk|block|finding_row|shuffle|add_chunk"),
    ("HDF5", r"libhdf5|dfopt_store|dfopt_declog|put_c|write_chunk"),
    ("batches: numbers, merge, frames", r"dfopt_slice|dfopt_ingest|dfopt_batch|dfopt_replay|dfopt_buf|"
                                       r"dfopt_frame|dfopt_output|dfopt_events"),
    ("copying and comparing memory", r"libc.*(mem|str)"),
    ("start and end: loader, MPI", r"ld-linux|libmpi|libopen|mca_|libpmix|libevent|libc|hwloc|"
                                   r"vdso|libhwloc"),
)
KERNEL = (("kernel: read", r"sys_p?read"), ("kernel: write", r"sys_p?write|sys_ftruncate"),
          ("kernel: memory", r"page_fault|sys_(mmap|munmap|brk|madvise)|exit_mmap"))


def stage_of(frames):
    """frames: (function, library), the innermost first"""
    name, library = frames[0]
    if "kernel" in library:
        chain = " ".join(f for f, _ in frames)
        return next((s for s, p in KERNEL if re.search(p, chain)), "kernel: other")
    where = f"{os.path.basename(library)} {name}"
    return next((s for s, p in STAGES if re.search(p, where)), "the rest")


def samples(text):
    frames = []
    for line in text.splitlines():
        m = re.match(r"\s+[0-9a-f]+ (.*) \((.*)\)$", line)
        if m:
            frames.append(m.groups())
        elif frames:
            yield frames
            frames = []
    if frames:
        yield frames


def profile(command, data, env):
    """(stage, share) of a run, the greatest first; nothing without perf."""
    perf = shutil.which("perf")
    if not perf:
        return []
    recorded = subprocess.run([perf, "record", "-q", "-F", "4999", "-g", "-o", data, *command],
                              env=env, capture_output=True, timeout=900, check=False)
    if recorded.returncode or not os.path.exists(data):
        return []
    told = subprocess.run([perf, "script", "-i", data, "--comm", os.path.basename(command[0]),
                           "-F", "ip,sym,dso"], capture_output=True, timeout=900, check=False)
    counts = collections.Counter(map(stage_of, samples(told.stdout.decode(errors="replace"))))
    total = sum(counts.values())
    return [(stage, n / total) for stage, n in counts.most_common()]
