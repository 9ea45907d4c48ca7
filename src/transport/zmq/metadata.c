/* The grammar decides what is JSON. Only then are the members of the outermost
 * object looked at, in text that is known to be well-formed. */
#include "transport/zmq/metadata.h"
#include "json/grammar.h"

#define MAX_DEPTH 33 /* the object, and 32 levels below it */

static const struct {
    const char *key, *value;
} sentinels[] = {{"name", "end"}, {"type", "stop"}};
#define SENTINELS (sizeof sentinels / sizeof *sentinels)
#define TYPE      1 /* among them */

/* A string as it is spelt; from the quote that opens it to the one that closes it.
 */
static struct dfopt_text string(const char **p)
{
    const char *start = ++*p;
    for (; **p != '"'; ++*p)
        if (**p == '\\')
            ++*p;
    return (struct dfopt_text){start, (size_t)(*p - start)};
}

/* Which sentinel a key belongs to; SENTINELS: none. */
static size_t sentinel_of(struct dfopt_text key)
{
    size_t i = 0;
    while (i < SENTINELS && !dfopt_text_is(key, sentinels[i].key))
        i++;
    return i;
}

static bool says_stop(const char *p, const char *end, struct dfopt_text *type)
{
    bool stops[SENTINELS + 1] = {false}; /* the last: of other keys */
    size_t member = SENTINELS;
    struct dfopt_text key = {0};
    bool in_value = false;
    for (int depth = 0; p < end; p++) {
        if (*p == '"') {
            const struct dfopt_text t = string(&p);
            if (depth == 1 && in_value) {
                stops[member] =
                    member < SENTINELS && dfopt_text_is(t, sentinels[member].value);
                if (member == TYPE)
                    *type = t;
            } else if (depth == 1) {
                key = t;
            }
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']') {
            depth--;
        } else if (depth == 1 && (*p == ':' || *p == ',')) {
            in_value = *p == ':';
            member = in_value ? sentinel_of(key) : SENTINELS;
            stops[member] = false;
            if (member == TYPE)
                *type = (struct dfopt_text){"", 0};
        }
    }
    return stops[0] || stops[1];
}

enum dfopt_zmq_metadata dfopt_zmq_metadata_scan(const void *bytes, size_t n,
                                                struct dfopt_text *type)
{
    const char *p = bytes, *end = p;
    if (n == 0 || dfopt_json_check(bytes, n, MAX_DEPTH, NULL, NULL))
        return DFOPT_ZMQ_METADATA_BAD;
    end += n;
    *type = (struct dfopt_text){"", 0};
    while (strchr(" \t\r\n", *p))
        p++;
    if (*p != '{')
        return DFOPT_ZMQ_METADATA_BAD;
    return says_stop(p, end, type) ? DFOPT_ZMQ_METADATA_STOP
                                   : DFOPT_ZMQ_METADATA_PLAIN;
}
