/* The commands of dfopt-log. To add one: a file NAME.c that defines
 * dl_NAME(argc, argv), a row here, a section in docs/man/dfopt-log.1. */
#ifndef DFOPT_CMD_LOG_COMMANDS_H
#define DFOPT_CMD_LOG_COMMANDS_H

/* name, its text in `dfopt-log --help`, in the order of that list */
#define DL_COMMAND_LIST(X)                                                         \
    X(summary, "Show what a run achieved, what it decided, and why")               \
    X(plans, "List the plans, what became of each, and its gain")                  \
    X(why, "Explain why a knob moved or did not, finding by finding")              \
    X(timeline, "Plot the value of a knob over windows, per node")                 \
    X(diff, "Compare the decisions of two runs, and their gains")                  \
    X(top, "Watch a run on one screen, live or afterwards")                        \
    X(follow, "Print plans and acknowledgements as they are committed")            \
    X(export, "Print a table as CSV or JSON lines")                                \
    X(dump, "Print every row as JSON, in the order of events")                     \
    X(state, "Print the planner's state at the end or after an event")             \
    X(check, "Check a log's integrity, and repair it")                             \
    X(sweep, "Show the results of a sweep")

/* Each gets its own command line: argv[0] is its name for messages. Returns the
 * exit status. */
#define DL_COMMAND_DECLARE(name, text) int dl_##name(int argc, char **argv);
DL_COMMAND_LIST(DL_COMMAND_DECLARE)
#undef DL_COMMAND_DECLARE

#endif
