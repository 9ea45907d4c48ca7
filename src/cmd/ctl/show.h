/* Prints a service's answers for people. */
#ifndef DFOPT_CMD_CTL_SHOW_H
#define DFOPT_CMD_CTL_SHOW_H

#include "json/json.h"

/* Prints the whole state, or only plans in flight and proposals. */
void ctl_show_status(struct json_object *state);
void ctl_show_plans(struct json_object *state);

/* Whether the answer says that the command was done. */
bool ctl_is_done(struct json_object *answer);

/* Prints a command's result. Returns whether it was done. */
bool ctl_show_outcome(struct json_object *answer);

#endif
