/* The commands of dfopt-log. To add one: a file NAME.c that defines dl_NAME(argc,
 * argv), a row here, and a section in docs/man/dfopt-log.1. */
#ifndef DFOPT_CMD_LOG_COMMANDS_H
#define DFOPT_CMD_LOG_COMMANDS_H

/* name and text in `dfopt-log --help`, in that list's order */
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

/* Gets its own command line, with its name for messages in argv[0]. Returns the
 * exit status. */
#define DL_COMMAND_DECLARE(name, text) int dl_##name(int argc, char **argv);
DL_COMMAND_LIST(DL_COMMAND_DECLARE)
#undef DL_COMMAND_DECLARE

#endif
