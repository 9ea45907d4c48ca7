/* Prints answers of a service for people. */
#ifndef DFOPT_CMD_CTL_SHOW_H
#define DFOPT_CMD_CTL_SHOW_H

#include "json/json.h"

/* The whole state, or only plans in flight and proposals. */
void ctl_show_status(struct json_object *state);
void ctl_show_plans(struct json_object *state);

/* Whether a command was done, by its answer. */
bool ctl_is_done(struct json_object *answer);

/* What came of a command. Returns whether it was done. */
bool ctl_show_outcome(struct json_object *answer);

#endif
