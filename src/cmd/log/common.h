/* Shared by the commands of dfopt-log: command line, open log, printing. */
#ifndef DFOPT_CMD_LOG_COMMON_H
#define DFOPT_CMD_LOG_COMMON_H

#include "cmd/log/commands.h"
#include "cmd/option/option.h"
#include "declog/format.h"
#include "declog/reader.h"
#include "json/write.h"

#define DL_TEXT_OF(x)     #x
#define DL_NUMBER_TEXT(x) DL_TEXT_OF(x)
#define DL_VERSION                                                                 \
    "dfopt-log " DFOPT_VERSION                                                     \
    ", decision log format " DL_NUMBER_TEXT(DFOPT_DECLOG_VERSION)

/* Exit status of most commands. */
enum { DL_OK = 0, DL_TROUBLE = 1 };

/* ---- the command line ---- */

#define DL_FILES_MAX 2

struct dl_args {
    size_t n_files; /* FILEs the command takes; set before parsing */
    const char *file[DL_FILES_MAX];
    size_t found;
    bool json;
    unsigned when; /* --color */
    bool color;    /* colour stdout */
};

/* A command: doc and args_doc as in argp, and its own options, if any, whose values
 * go to the struct given to dl_args_parse. */
struct dl_command {
    const struct dfopt_option *options;
    const char *args_doc, *doc;
};

/* Parses a command's line. Exits after --help or a usage error that names the
 * option. */
void dl_args_parse(struct dl_args *a, const struct dl_command *own, void *into,
                   int argc, char **argv);

/* ---- printing: buffered, written in large blocks ---- */

/* The first failure sticks, so callers may check once at the end. */
struct dl_print {
    struct dfopt_put put; /* JSON; its `e` is NOMEM, its dictionary resolves syms */
    bool color;           /* dl_color has an effect */
    struct dfopt_buf out;
    bool left;   /* stdout is a pipe without a reader: stop quietly */
    bool failed; /* writing to stdout failed; reported on stderr */
};

/* dict is borrowed; it may be NULL if no sym is printed. */
void dl_print_init(struct dl_print *p, const struct dfopt_dict *dict, bool color);
void dl_print_free(struct dl_print *p);

/* Writes the buffer if it is large or `now` is set. Returns false once output is
 * impossible or memory has run out: then stop. */
bool dl_print_flush(struct dl_print *p, bool now);

/* At most 511 bytes per call. */
void dl_put(struct dl_print *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends bytes unchanged. */
void dl_put_bytes(struct dl_print *p, const char *bytes, size_t n);

/* Appends bytes of a log; control characters, which terminals obey, become \xNN. */
void dl_put_text(struct dl_print *p, const char *text, size_t len);
void dl_put_sym(struct dl_print *p, dfopt_sym s);

/* Appends a value for people: as in JSON, but null is "-" and reals are short. */
void dl_put_value(struct dl_print *p, struct dfopt_value v);

/* A real for people: at most six digits; "-" if not finite. */
void dl_put_real(struct dl_print *p, double d);

void dl_put_plan_id(struct dl_print *p, uint64_t id);

/* "WAS -> BECOMES" */
void dl_put_change(struct dl_print *p, const struct dfopt_plan *plan);

/* A plan's target: its node, its target nodes, or "the whole job". */
void dl_put_targets(struct dl_print *p, const struct dfopt_plan *plan);

/* Pads to `width` columns from `start` (p->out.len before the cell), plus a
 * blank. */
void dl_pad(struct dl_print *p, size_t start, size_t width);

/* The same for a cell that may be wider: it is truncated between characters and
 * ends with two dots. */
void dl_fit(struct dl_print *p, size_t start, size_t width);

enum dl_color { DL_PLAIN, DL_BOLD, DL_DIM, DL_RED, DL_GREEN, DL_YELLOW };

void dl_color(struct dl_print *p, enum dl_color c);

/* ---- a command working on one FILE ---- */

struct dl_job {
    struct dl_args args; /* parsed before dl_start */
    struct dfopt_declog_reader *reader;
    const struct dfopt_declog_run *run; /* of the reader */
    const struct dfopt_dict *dict;      /* likewise */
    struct dl_print print;
    struct dfopt_error err; /* for dl_end to report */
};

/* Opens the FILE; on failure reports on stderr and returns false: DL_TROUBLE. */
bool dl_start(struct dl_job *j);

/* Reads from another reader, which it takes, instead of its own. */
void dl_use(struct dl_job *j, struct dfopt_declog_reader *reader);

/* Flushes output, reports the error if e is not OK, and releases everything.
 * Returns DL_OK or DL_TROUBLE. */
int dl_end(struct dl_job *j, enum dfopt_err e);

/* Windows are at most 2^53; a damaged log may claim more, which is cut. */
int64_t dl_window_within(int64_t window);

/* Prints "dfopt-log: ..." on stderr. */
void dl_complain(const struct dfopt_error *err);

#endif
