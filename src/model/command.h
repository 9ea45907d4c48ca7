/* Operator commands: the records of the stream `control`. */
#ifndef DFOPT_MODEL_COMMAND_H
#define DFOPT_MODEL_COMMAND_H

#include "model/message.h"

#define DFOPT_COMMAND_ACTION_LIST(X)                                               \
    X(MODE, "mode")                                                                \
    X(APPROVE, "approve")                                                          \
    X(REJECT, "reject")                                                            \
    X(FREEZE, "freeze")                                                            \
    X(THAW, "thaw") X(SET, "set") X(RESTORE, "restore") X(POLICY, "policy")

enum dfopt_command_action {
#define DFOPT_COMMAND_ACTION_ENUM(name, text) DFOPT_COMMAND_ACTION_##name,
    DFOPT_COMMAND_ACTION_LIST(DFOPT_COMMAND_ACTION_ENUM)
#undef DFOPT_COMMAND_ACTION_ENUM
        DFOPT_COMMAND_ACTION_COUNT
};

/* What the planner may do with a knob. */
#define DFOPT_MODE_LIST(X)                                                         \
    X(AUTO, "auto") X(ADVISE, "advise") X(SHADOW, "shadow") X(OFF, "off")

enum dfopt_knob_mode {
#define DFOPT_MODE_ENUM(name, text) DFOPT_MODE_##name,
    DFOPT_MODE_LIST(DFOPT_MODE_ENUM)
#undef DFOPT_MODE_ENUM
        DFOPT_MODE_COUNT
};

/* Which knobs a mode applies to; later targets are more specific. */
enum dfopt_mode_target {
    DFOPT_TARGET_ALL, /* * */
    DFOPT_TARGET_TAG, /* tag:NAME */
    DFOPT_TARGET_KNOB /* knob:ID */
};

/* A command. Plain data. */
struct dfopt_command {
    uint32_t action;  /* enum dfopt_command_action */
    uint32_t mode;    /* MODE: enum dfopt_knob_mode */
    uint32_t target;  /* MODE: enum dfopt_mode_target */
    uint32_t bounded; /* FREEZE: 1: until a window; 0: until thawed */
    uint32_t check;   /* POLICY: 1: validate only, do not apply */
    uint32_t reserved;
    dfopt_sym name;   /* MODE: the tag or knob; SET: the knob */
    dfopt_sym node;   /* SET, RESTORE: DFOPT_SYM_EMPTY: the whole job */
    dfopt_sym by, at; /* who and when, for the log */
    dfopt_sym word_operator, word_next_window; /* these words interned, for plans */
    uint64_t plan_id;                          /* APPROVE, REJECT */
    int64_t until;                             /* FREEZE */
    struct dfopt_value value;                  /* SET */
};

/* The outcome of a command: name, and meaning for people. The numbers are part
 * of the decision log's format: append only. */
#define DFOPT_COMMAND_OUTCOME_LIST(X)                                              \
    X(UNKNOWN_PLAN, "unknown_plan", "no such plan waits for approval")             \
    X(DONE, "done", "done")                                                        \
    X(SAME_VALUE, "same_value", "the knob has that value already")                 \
    X(UNKNOWN_KNOB, "unknown_knob", "no such knob is registered")                  \
    X(UNKNOWN_TAG, "unknown_tag", "no knob responds to the tag")                   \
    X(NEEDS_NODE, "needs_node", "the knob has a value for each node; name one")    \
    X(JOB_KNOB, "job_knob", "the knob has one value for the whole job")            \
    X(UNREGISTERED, "unregistered", "the knob's owner has left")                   \
    X(WRONG_VALUE, "wrong_value", "the knob cannot take the value")                \
    X(TRIAL, "trial", "another change is on trial there")                          \
    X(RATE, "rate", "a limit of the policy has no room")                           \
    X(BUDGET, "budget", "a budget of the policy has no room")                      \
    X(FIXED, "fixed",                                                              \
      "a run cannot change the switches ack_match, reregister, scope, "            \
      "registration and effect, nor whether there are limits")                     \
    X(METRIC, "metric", "the policy names a metric that this run does not read")   \
    X(UNKNOWN_NODE, "unknown_node",                                                \
      "no registration, finding or objective has named the node")

enum dfopt_command_outcome {
#define DFOPT_COMMAND_OUTCOME_ENUM(name, text, meaning) DFOPT_COMMAND_##name,
    DFOPT_COMMAND_OUTCOME_LIST(DFOPT_COMMAND_OUTCOME_ENUM)
#undef DFOPT_COMMAND_OUTCOME_ENUM
        DFOPT_COMMAND_OUTCOME_COUNT
};

/* The outcome of a command. Without padding. */
struct dfopt_command_row {
    uint64_t seq;
    uint32_t action;  /* enum dfopt_command_action */
    uint32_t outcome; /* enum dfopt_command_outcome */
};

/* Whether the command was refused, for a reason that its sender should know. */
static inline bool dfopt_command_is_refused(uint32_t outcome)
{
    return outcome != DFOPT_COMMAND_DONE && outcome != DFOPT_COMMAND_SAME_VALUE;
}

const char *dfopt_command_action_name(uint32_t action);
const char *dfopt_knob_mode_name(uint32_t mode);
const char *dfopt_command_outcome_name(uint32_t outcome);
const char *dfopt_command_outcome_meaning(uint32_t outcome);

#endif
