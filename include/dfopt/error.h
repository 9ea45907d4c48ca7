/* Errors. A fallible function returns enum dfopt_err (0 is OK). If a user can cause
 * the error, it also fills a struct dfopt_error with a text that names the file and
 * line, endpoint, rank or knob. On failure outputs are untouched and inputs stay
 * owned by the caller. */
#ifndef DFOPT_ERROR_H
#define DFOPT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* name, text for people */
#define DFOPT_ERR_LIST(X)                                                          \
    X(OK, "no error")                                                              \
    X(NOMEM, "out of memory")                                                      \
    X(ARG, "bad argument")                                                         \
    X(PARSE, "not well-formed JSON")                                               \
    X(SCHEMA, "well-formed, but not the expected content")                         \
    X(LIMIT, "a limit is exceeded")                                                \
    X(IO, "input or output failed")                                                \
    X(FORMAT, "not a file or frame of this program")                               \
    X(MPI, "message passing failed")                                               \
    X(STATE, "not possible in this state")                                         \
    X(INTERRUPTED, "interrupted")

enum dfopt_err {
#define DFOPT_ERR_ENUM(name, text) DFOPT_ERR_##name,
    DFOPT_ERR_LIST(DFOPT_ERR_ENUM)
#undef DFOPT_ERR_ENUM
};
#define DFOPT_OK DFOPT_ERR_OK

#define DFOPT_ERROR_TEXT_SIZE 320

/* An error and its text. Plain data; zero it before first use. */
struct dfopt_error {
    enum dfopt_err code;
    char text[DFOPT_ERROR_TEXT_SIZE];
};

/* Fills *err (may be NULL) with the code and a printf-formatted text, truncated to
 * fit. Returns code, for `return dfopt_error_set(...)`. */
enum dfopt_err dfopt_error_set(struct dfopt_error *err, enum dfopt_err code,
                               const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prepends a printf-formatted text and ": " to the text of *err (may be NULL). */
void dfopt_error_prefix(struct dfopt_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns the text of a code. Never NULL; static storage. */
const char *dfopt_err_text(enum dfopt_err code);

#ifdef __cplusplus
}
#endif
#endif
