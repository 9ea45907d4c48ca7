/* Start and end of a command. */
#include "cmd/log/job.h"

#include <inttypes.h>
#include <stdio.h>

void log_complain(const struct dfopt_error *err)
{
    fprintf(stderr, "dfopt-log: %s\n", err->text);
}

bool log_start(struct log_job *j)
{
    if (dfopt_declog_reader_open(&j->reader, j->args.file[0], &j->err) !=
        DFOPT_OK) {
        log_complain(&j->err);
        return false;
    }
    j->run = dfopt_declog_reader_run(j->reader);
    j->dict = dfopt_declog_reader_dict(j->reader);
    if (j->run->cut)
        fprintf(stderr,
                "dfopt-log: %s: has lost its end; shown is what its first %" PRIu64
                " of %" PRIu64 " commits count\n",
                j->args.file[0], j->run->commits,
                j->run->commits + j->run->lost_commits);
    j->print.dict = j->dict;
    j->print.color = j->args.color;
    return true;
}

int log_end(struct log_job *j, enum dfopt_err e)
{
    log_print_flush(&j->print, true); /* also what came before the trouble */
    if (!e)
        e = j->print.e;
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(&j->err, e, "%s: out of memory", j->args.file[0]);
    if (e)
        log_complain(&j->err);
    bool failed = e || j->print.failed;
    log_print_free(&j->print);
    dfopt_declog_reader_close(j->reader);
    return failed ? LOG_TROUBLE : LOG_OK;
}
