/* The grammar decides what is JSON. Only then are the members of the outermost
 * object read, from text known to be well-formed. */
#include "transport/zmq/metadata.h"
#include "json/grammar.h"

#define MAX_DEPTH 33 /* the object, and 32 levels below it */

/* The members that are read, and the values that mean stop. */
static const struct {
    const char *key, *stop;
} members[] = {{"name", "end"}, {"type", "stop"}, {"answer", NULL}};
#define MEMBERS (sizeof members / sizeof *members)
enum { NAME, TYPE, ANSWER };

/* A string as written, from its opening quote to the closing one. */
static struct dfopt_text string(const char **p)
{
    const char *start = ++*p;
    for (; **p != '"'; ++*p)
        if (**p == '\\')
            ++*p;
    return (struct dfopt_text){start, (size_t)(*p - start)};
}

/* The index of a key in `members`; MEMBERS: not one of them. */
static size_t member_of(struct dfopt_text key)
{
    size_t i = 0;
    while (i < MEMBERS && !dfopt_text_is(key, members[i].key))
        i++;
    return i;
}

/* Reads the members of the outermost object; the last of each counts. Returns
 * whether one means stop. */
static bool read_members(const char *p, const char *end,
                         struct dfopt_zmq_members *out)
{
    bool stops[MEMBERS + 1] = {false}; /* the last slot: other keys */
    size_t member = MEMBERS;
    struct dfopt_text key = {0}, value[MEMBERS + 1];
    for (size_t i = 0; i <= MEMBERS; i++)
        value[i] = (struct dfopt_text){"", 0};
    bool in_value = false;
    for (int depth = 0; p < end; p++) {
        if (*p == '"') {
            const struct dfopt_text t = string(&p);
            if (depth == 1 && in_value) {
                stops[member] =
                    member <= TYPE && dfopt_text_is(t, members[member].stop);
                value[member] = member == TYPE ? t : value[member];
            } else if (depth == 1) {
                key = t;
            }
        } else if (*p == '{' || *p == '[') {
            if (depth++ == 1 && *p == '{' && member == ANSWER)
                value[ANSWER].at = p;
        } else if (*p == '}' || *p == ']') {
            if (--depth == 1 && *p == '}' && member == ANSWER)
                value[ANSWER].len = (size_t)(p + 1 - value[ANSWER].at);
        } else if (depth == 1 && (*p == ':' || *p == ',')) {
            in_value = *p == ':';
            member = in_value ? member_of(key) : MEMBERS;
            stops[member] = false;
            value[member] = (struct dfopt_text){"", 0};
        }
    }
    *out = (struct dfopt_zmq_members){value[TYPE], value[ANSWER]};
    return stops[NAME] || stops[TYPE];
}

enum dfopt_zmq_metadata dfopt_zmq_metadata_scan(const void *bytes, size_t n,
                                                struct dfopt_zmq_members *out)
{
    const char *p = bytes, *end = p;
    if (n == 0 || dfopt_json_check(bytes, n, MAX_DEPTH, NULL, NULL))
        return DFOPT_ZMQ_METADATA_BAD;
    end += n;
    while (strchr(" \t\r\n", *p))
        p++;
    if (*p != '{')
        return DFOPT_ZMQ_METADATA_BAD;
    return read_members(p, end, out) ? DFOPT_ZMQ_METADATA_STOP
                                     : DFOPT_ZMQ_METADATA_PLAIN;
}
