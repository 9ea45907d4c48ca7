/* The commands of dfopt-log. To add one: a file NAME.c that defines
 * dl_NAME(argc, argv), a row here, a section in docs/man/dfopt-log.1. */
#ifndef DFOPT_CMD_LOG_COMMANDS_H
#define DFOPT_CMD_LOG_COMMANDS_H

/* name, what `dfopt-log --help` says of it; in the order of that list */
#define DL_COMMAND_LIST(X)                                                         \
    X(summary, "what a run brought, what it decided, and why, on one screen")      \
    X(plans, "the plans, what became of each, and what it brought")                \
    X(why, "why a knob moved, or did not, finding by finding, in words")           \
    X(timeline, "the value of a knob against windows, per node")                   \
    X(diff, "what two runs decided differently, and what that brought")            \
    X(top, "a run on one screen, while it goes or afterwards")                     \
    X(follow, "plans and acks of a run as they are committed")                     \
    X(export, "a table as CSV or JSON lines")                                      \
    X(dump, "every row as JSON, one a line, in the order of events")               \
    X(state, "the state that the planner had, at the end or after an event")       \
    X(check, "whether the log is whole")                                           \
    X(sweep, "the variants of a policy that a sweep has measured")

/* Each gets its own command line: argv[0] is its name for messages. Returns the
 * exit status. */
#define DL_COMMAND_DECLARE(name, text) int dl_##name(int argc, char **argv);
DL_COMMAND_LIST(DL_COMMAND_DECLARE)
#undef DL_COMMAND_DECLARE

#endif
