/* Finds the end of a JSON value that arrives in parts. It knows strings, escapes
 * and depth; it does not tell one bracket from another, nor whether the value is
 * well-formed: that is the codec's. */
#ifndef DFOPT_TRANSPORT_FILE_SCAN_H
#define DFOPT_TRANSPORT_FILE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Where in a value the last look ended. Private to scan.c. */
struct dfopt_scan {
    size_t depth; /* of brackets */
    bool scalar;  /* no string, array or object */
    bool in_string, escaped;
};

static inline bool dfopt_scan_is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Starts a value with its first byte (any but white space), which is looked at. */
void dfopt_scan_begin(struct dfopt_scan *s, char first);

/* Continues with the bytes p .. end: returns the place behind the value's last
 * byte, or NULL if it is not among them. A number or word ends before white
 * space, comma, ], quote or an opening bracket, which must be there to be seen. */
const char *dfopt_scan_end(struct dfopt_scan *s, const char *p, const char *end);

#endif
