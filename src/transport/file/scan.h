/* Finds the end of a JSON value that arrives in parts. It understands strings,
 * escapes and depth, but does not match kinds of brackets or check that the
 * value is well-formed: that is the codec's job. */
#ifndef DFOPT_TRANSPORT_FILE_SCAN_H
#define DFOPT_TRANSPORT_FILE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Where the last scan ended within a value. Private to scan.c. */
struct dfopt_scan {
    size_t depth; /* of brackets */
    bool scalar;  /* not a string, array or object */
    bool in_string, escaped;
};

static inline bool dfopt_scan_is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Starts a value with its first byte (not white space), which counts as scanned. */
void dfopt_scan_begin(struct dfopt_scan *s, char first);

/* Continues with the bytes p .. end: returns the place after the value's last
 * byte, or NULL if it is not among them. A number or word ends before white
 * space, comma, ], quote or an opening bracket, which must be present. */
const char *dfopt_scan_end(struct dfopt_scan *s, const char *p, const char *end);

#endif
