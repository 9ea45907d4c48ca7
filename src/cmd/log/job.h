/* A command of dfopt-log at work on one FILE. */
#ifndef DFOPT_CMD_LOG_JOB_H
#define DFOPT_CMD_LOG_JOB_H

#include "cmd/log/args.h"
#include "cmd/log/commands.h"
#include "cmd/log/print.h"
#include "declog/reader.h"

/* Exit status of most commands; 64 is a usage error (argp's). */
enum { LOG_OK = 0, LOG_TROUBLE = 1 };

struct log_job {
    struct log_args args; /* parsed before log_start */
    struct dfopt_declog_reader *reader;
    const struct dfopt_declog_run *run; /* of the reader */
    const struct dfopt_dict *dict;      /* likewise */
    struct log_print print;
    struct dfopt_error err; /* what went wrong, for log_end */
};

/* Opens the FILE, or says why not on stderr and returns false: LOG_TROUBLE. */
bool log_start(struct log_job *j);

/* Writes what is left, says what went wrong if e is not OK, and releases
 * everything. Returns LOG_OK or LOG_TROUBLE. */
int log_end(struct log_job *j, enum dfopt_err e);

/* "dfopt-log: ..." on stderr. */
void log_complain(const struct dfopt_error *err);

#endif
