/* What --help prints. */
#ifndef DFOPT_CMD_OPTION_HELP_H
#define DFOPT_CMD_OPTION_HELP_H

#include "cmd/option/option.h"

#include <stdio.h>

/* Prints the usage line of the program `name`, the text of `line`, and its options
 * in table order; each part is placed before the first title of a higher group. In
 * the text, a line with a tab is a two-column row. */
void dfopt_option_help(const struct dfopt_option_line *line, const char *name,
                       FILE *out);

#endif
