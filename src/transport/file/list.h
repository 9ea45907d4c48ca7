/* Expands paths and globs to a list of files and checks them without opening
 * any. */
#ifndef DFOPT_TRANSPORT_FILE_LIST_H
#define DFOPT_TRANSPORT_FILE_LIST_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

/* size: of a regular file in bytes, else 0 */
struct dfopt_file_entry {
    char *path; /* owned; "-": standard input */
    uint64_t size;
};

struct dfopt_file_list {
    struct dfopt_file_entry *entries;
    size_t n;
    uint64_t bytes_total; /* 0 if not every entry is a regular file */
};

/* Expands the patterns in order. Returns OK; IO or ARG (the text names the
 * path); NOMEM. Free it with dfopt_file_list_free; {0} is fine. */
enum dfopt_err dfopt_file_list_make(struct dfopt_file_list *out,
                                    const char *const *patterns, size_t n,
                                    struct dfopt_error *err);
void dfopt_file_list_free(struct dfopt_file_list *l);

#endif
