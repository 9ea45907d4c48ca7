/* A row for each command, with what it came to. */
#include "engine/batch/commands.h"

enum dfopt_err dfopt_commands_log(struct dfopt_declog *w,
                                  const struct dfopt_batch *r)
{
    const struct dfopt_batch_command *c =
        DFOPT_ROW(&r->commands, const struct dfopt_batch_command);
    const struct dfopt_command_row *row =
        DFOPT_ROW(&r->merged.commands, const struct dfopt_command_row);
    const size_t n = DFOPT_ROWS(&r->commands, struct dfopt_batch_command);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        const struct dfopt_declog_command command = {.seq = c[i].seq,
                                                     .action = row[i].action,
                                                     .outcome = row[i].outcome,
                                                     .by = c[i].command.by,
                                                     .body =
                                                         r->texts.data + c[i].body,
                                                     .body_len = c[i].body_len};
        e = dfopt_declog_command(w, &command);
    }
    return e;
}
