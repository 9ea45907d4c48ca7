/* Shared by the commands of dfopt-log: the command line, the log being read, and
 * printing. */
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
    size_t n_files; /* set before parsing: how many FILEs the command takes */
    const char *file[DL_FILES_MAX];
    size_t found;
    bool json;
    unsigned when; /* --color */
    bool color;    /* stdout is to be coloured */
};

/* A command: its doc and args_doc as argp's, and its own options, if any, whose
 * values go to the struct that dl_args_parse is given. */
struct dl_command {
    const struct dfopt_option *options;
    const char *args_doc, *doc;
};

/* Parses a command's line. Ends the program at a mistake, reported with the
 * option's name, and after --help. */
void dl_args_parse(struct dl_args *a, const struct dl_command *own, void *into,
                   int argc, char **argv);

/* ---- printing: collected, and written in large blocks ---- */

/* The first failure sticks, so that only the end needs to look at it. */
struct dl_print {
    struct dfopt_put put; /* JSON; its `e` is NOMEM, its dictionary the texts' */
    bool color;           /* dl_color does something */
    struct dfopt_buf out;
    bool left;   /* a pipe whose reader has left: be done, quietly */
    bool failed; /* stdout takes no more; reported on stderr */
};

/* dict is borrowed, and may be NULL if no sym is put. */
void dl_print_init(struct dl_print *p, const struct dfopt_dict *dict, bool color);
void dl_print_free(struct dl_print *p);

/* Writes what has been collected, if it is much or `now`. Returns whether to
 * go on: false once nothing more can be written, or memory is short. */
bool dl_print_flush(struct dl_print *p, bool now);

/* At most 511 bytes at once. */
void dl_put(struct dl_print *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As they are. */
void dl_put_bytes(struct dl_print *p, const char *bytes, size_t n);

/* Bytes of a log: control characters, which a terminal would obey, are put as
 * \xNN. */
void dl_put_text(struct dl_print *p, const char *text, size_t len);
void dl_put_sym(struct dl_print *p, dfopt_sym s);

/* A value for a person: as in JSON, but null is "-", and reals are short. */
void dl_put_value(struct dl_print *p, struct dfopt_value v);

/* A real for a person: at most six digits; "-" if it is not finite. */
void dl_put_real(struct dl_print *p, double d);

void dl_put_plan_id(struct dl_print *p, uint64_t id);

/* "WAS -> BECOMES" */
void dl_put_change(struct dl_print *p, const struct dfopt_plan *plan);

/* Whom a plan is for: its node, its target nodes, or "the whole job". */
void dl_put_targets(struct dl_print *p, const struct dfopt_plan *plan);

/* Fills up with blanks to `width` columns from where `start` was (p->out.len
 * before the cell), and puts one more. */
void dl_pad(struct dl_print *p, size_t start, size_t width);

/* The same for a cell that may be wider: it is cut, between characters, and ends
 * with two dots. */
void dl_fit(struct dl_print *p, size_t start, size_t width);

enum dl_color { DL_PLAIN, DL_BOLD, DL_DIM, DL_RED, DL_GREEN, DL_YELLOW };

void dl_color(struct dl_print *p, enum dl_color c);

/* ---- a command at work on one FILE ---- */

struct dl_job {
    struct dl_args args; /* parsed before dl_start */
    struct dfopt_declog_reader *reader;
    const struct dfopt_declog_run *run; /* of the reader */
    const struct dfopt_dict *dict;      /* likewise */
    struct dl_print print;
    struct dfopt_error err; /* what went wrong, for dl_end */
};

/* Opens the FILE, or reports why not on stderr and returns false: DL_TROUBLE. */
bool dl_start(struct dl_job *j);

/* Writes what is left, reports what went wrong if e is not OK, and releases
 * everything. Returns DL_OK or DL_TROUBLE. */
int dl_end(struct dl_job *j, enum dfopt_err e);

/* "dfopt-log: ..." on stderr. */
void dl_complain(const struct dfopt_error *err);

#endif
