/* Names of commands, modes and outcomes. */
#include "model/command.h"

#include "base/names.h"

_Static_assert(sizeof(struct dfopt_command) == 80, "no padding");
_Static_assert(sizeof(struct dfopt_command_row) == 16, "no padding");

DFOPT_NAME_FUNCTION(dfopt_command_action_name, DFOPT_COMMAND_ACTION_LIST,
                    DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_knob_mode_name, DFOPT_MODE_LIST, DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_command_outcome_name, DFOPT_COMMAND_OUTCOME_LIST,
                    DFOPT_NAME_TEXT3)
DFOPT_NAME_FUNCTION(dfopt_command_outcome_meaning, DFOPT_COMMAND_OUTCOME_LIST,
                    DFOPT_NAME_MEANING)
