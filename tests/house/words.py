"""One word for one thing: words that the project has given up, and what it says now.

A row: the word that is gone, as a regular expression in which a blank also matches the end
of a line of a comment; the word to use; where it is looked for; and, as regular
expressions, what may stay. A word is also found as part of an identifier. Where a word is
not the one that is meant, say it another way, or add to what may stay.
"""
import re

CODE = ("src", "include")
ALL = (*CODE, "tests", "docs", "jobs", "analysis", "cmake", "CMakeLists.txt",
       "README.md", "CONTRIBUTING.md", "SECURITY.md")

WORDS = (
    (r"rank 0's side", "leader", ALL, ()),
    (r"leads?|leading rank", "leader", ALL,
     (r"leads? (?:straight )?to", r"(?:may|would) lead to", r"plan leads",
      r"unsigned char lead\b.*|.*\blead (?:==|<) 0x.*|between\(lead,.*")),  # of UTF-8
    (r"followers?", "worker", ALL, ()),
    (r"teams?", "scatter", ALL, (r"struct team\b.*",)),  # threads of a test
    (r"rounds?", "batch", ("src", "include", "docs", "jobs", "README.md", "tests/bench"),
     (r"round\(", r"way round", r"round to", r"half round", r"linejoin: round",
      r"struct round\b.*|What a round begins with|round it waits for",  # of the listener
      r"(?-i:ROUND_)", r"(?:size_t |< )rounds\b.*",  # of a loop that measures
      r"the best round")),
    (r"on (?:its|their) way", "in flight", ALL, ()),
    (r"bulk", "replay", ALL, ()),
    (r"pieces?", "split", ALL,
     (r"piece by piece", r"in (?:one|large|small) pieces?", r"comes? in pieces",
      r"(?-i:PIECE)\b.*")),
    (r"take(?:s|n)? in|took in|taking in|intake", "ingest", ALL,
     (r"taken in (?:the )?order",)),
    (r"put(?:s|ting)?(?: |_)out", "emit", ALL, ()),
    (r"narrat(?:e|es|ed|ing|ion)", "events", ALL, ()),
    (r"(?:is|are|was|were|be|been) said|[(]said(?: already)?[)]|and said|"
     r"said (?:once|why|already|with|in the log)", "logged, reported", ALL,
     (r"nothing (?:else )?is said",)),
    (r"go(?:es|ing|ne)? on with|went on with", "resume (a run); continue", ALL, ()),
    (r"meant so", "this is intentional", ALL, ()),
    (r"(?:has|have|had) lost (?:its|their) ends?", "truncated", ALL, ()),
    (r"what came of (?:it|them|each)", "its outcome, the result", ALL, ()),
    (r"(?:is|are|was|were) done without", "ignored", ALL, ()),
    (r"hardly (?:is|are) meant", "is probably a mistake", ALL, ()),
    (r"is tried until it is there", "connecting is retried until it succeeds", ALL, ()),
    (r"says? nothing of", "has no", ALL, ()),
    (r"it has not helped", "the last change did not reduce severity enough", ALL, ()),
    (r"waves?", "block (of variants)", ALL, ()),
    (r"(?<!door)bells?", "doorbell", ALL, ()),
    (r"peers?", "worker", ("src/engine",),
     (r"no peer has taken", r"(?:dfopt_)?frame_peer\w*", r"->peer\b.*",
      r"for each peer.*|.*peer knows.*|.*\bto the peer.*|What a peer.*|`peer` NULL.*")),
    (r"preset(?:s)? (?:registrations?|knobs?)|registrations? preset",
     "initial registrations", ALL, ()),
    (r"dfopt_deciding|deciding\.[ch]", "shard", ALL, ()),
    (r"src/(?:fold|runtime|cli|demo)\b|src/transport/zmq_|zmq_curve\.[ch]",
     "the folder's present name", ALL, ()),
)

SUFFIXES = (".c", ".h", ".cpp", ".hpp", ".py", ".sh", ".cmake", ".txt", ".md", ".1", ".3",
            ".5", ".sbatch", ".js", ".html", ".in")
# The words themselves, the specification, and the words of another project.
EXEMPT = ("tests/house/", "tests/spec/rules", "tests/interop")
BLANK = r"(?:[ \t]|\n[ \t]*(?:\*|#|//)?[ \t]*)+"


def compiled(word):
    return re.compile(r"(?<![A-Za-z])(?:%s)(?![A-Za-z])" % word.replace(" ", BLANK), re.I)


def files_of(top, scope):
    for name in scope:
        path = top / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for p in found:
            relative = p.relative_to(top).as_posix()
            if p.is_file() and p.suffix in SUFFIXES and not relative.startswith(EXEMPT):
                yield relative, p.read_text(encoding="utf-8")


def flat(text):
    return re.sub(BLANK, " ", text)


def stays(text, match, allowed):
    """Whether what is found lies in something that may stay: on its line or, where that
    is no whole line, wrapped from the line before or to the line behind."""
    begin = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    end = end if end >= 0 else len(text)
    wide_begin = text.rfind("\n", 0, max(begin - 1, 0)) + 1
    wide_end = text.find("\n", end + 1)
    wide_end = wide_end if wide_end >= 0 else len(text)
    for first, last, lines in ((begin, end, True), (wide_begin, wide_end, False)):
        at = len(flat(text[first:match.start()]))
        near = flat(text[first:last])
        if any(m.start() <= at < m.end() for a in allowed if lines or ".*" not in a
               for m in re.finditer(a, near, re.I)):
            return True
    return False


def check(top):
    for word, instead, scope, allowed in WORDS:
        pattern = compiled(word)
        for name, text in files_of(top, scope):
            for m in pattern.finditer(text):
                if not stays(text, m, allowed):
                    line = text.count("\n", 0, m.start()) + 1
                    found = " ".join(m[0].split())
                    yield f"{name}:{line}: '{found}': {instead}"
