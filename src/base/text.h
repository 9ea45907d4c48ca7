/* A text that may contain NUL; borrowed. */
#ifndef DFOPT_BASE_TEXT_H
#define DFOPT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct dfopt_text {
    const char *at;
    size_t len;
};

static inline struct dfopt_text dfopt_text_z(const char *text)
{
    return (struct dfopt_text){text, strlen(text)};
}

static inline bool dfopt_text_is(struct dfopt_text t, const char *want)
{
    return t.len == strlen(want) && memcmp(t.at, want, t.len) == 0;
}

#endif
