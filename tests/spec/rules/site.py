"""What is known of a site."""



class Adjustment:
    """What the planner has done to one knob of one site."""
    def __init__(self, base, tag, apply_when, c):
        self.base, self.tag, self.apply_when, self.c = base, tag, apply_when, c    # base: the value before the first move
        self.prev = base            # the value before the last move that was kept
        self.delta = 0              # size of the last step that was kept; the next one is twice as large
        self.proven = False         # a trial has shown that the value is needed
        self.inconclusive = 0       # steps kept though their effect could not be seen
        self.anchor = base          # the value before the first of them
        self.hurt = False           # a finding's move of this knob alone was once judged worse
        self.replaced = None        # the value that a registration replaced
        self.touched = False        # a plan of it has left


class Move:
    def __init__(self, old, new, tag, apply_when, direction, answered=False):
        self.old, self.new, self.tag, self.apply_when, self.direction, self.answered = old, new, tag, apply_when, direction, answered


class Trial:
    """Moves of one site that are judged together."""
    def __init__(self, kind, window, c, event, before=0):
        self.kind, self.window, self.c = kind, window, c    # kind: demand (a finding asked), trade, release, rollback
        self.event = event          # number of the event that opens it; None once that event is over
        self.moves = {}             # knob -> Move, in order
        self.effect = -1            # window in which the last of the moves was applied, as far as is known
        self.before = before        # the site's `since` before
        self.reference = None       # the site's reference before
        self.base = None            # (median, windows) of the objective before; None: judged by findings
        self.seen, self.last = 0, -1    # findings of its type and scope since it took effect; the last one's window

    def answered(self):
        return all(m.answered for m in self.moves.values())

    def waits_for_epoch(self):
        return any(not m.answered and m.apply_when == "epoch_boundary" for m in self.moves.values())


class Site:
    """One node, or the job."""
    def __init__(self, control):
        self.generation, self.job_change = control.generation, control.job_change
        self.clock = -1             # largest window of its findings and objectives
        self.ring, self.goal = [], 1    # (window, objective), ascending; 1: more is better, -1: less is better
        self.diffs = []             # relative differences of neighbouring windows between which nothing was changed
        self.since = 0              # windows from here on ran with the settings of now
        self.reference = None       # (objective, windows): what shifts and releases are measured against
        self.trial = None
        self.recheck = False        # a registration that names this node came: did the application start anew?
        self.disturbed = False      # a knob was changed from outside
        self.isolate = False        # moving several knobs at once has failed: one at a time
        self.rest = -1              # window in which the last trial ended
        self.epoch_delay = None     # windows that an ack of a move for an epoch boundary has taken at most; None: none came yet
        self.adjustments = {}       # knob -> Adjustment
        self.backoffs = {}          # (knob, direction) -> (closed until window, failures)
        self.views = {}             # the job: finding type -> window of the last finding without a node
        self.demand = {}            # tag -> (first, last) window of the run of findings that name it

    def state(self):
        t = self.trial
        return dict(clock=self.clock, ring=self.ring, goal=self.goal, diffs=self.diffs, since=self.since, reference=self.reference,
                    isolate=self.isolate, rest=self.rest, epoch_delay=self.epoch_delay, demand=self.demand, views=self.views,
                    backoffs=sorted([*k, *b] for k, b in self.backoffs.items()),
                    adjustments={k: dict(base=a.base, prev=a.prev, delta=a.delta, proven=a.proven, inconclusive=a.inconclusive, anchor=a.anchor, hurt=a.hurt)
                                 for k, a in self.adjustments.items()},
                    trial=t and dict(kind=t.kind, window=t.window, effect=t.effect, before=t.before, base=t.base, seen=t.seen, last=t.last,
                                     moves={k: [m.old, m.new, m.answered, m.direction] for k, m in t.moves.items()}))
