/* JSON objects put together member by member, over json-c. The first failure
 * sticks, so that only the end needs to look at it. */
#ifndef DFOPT_CMD_DEMO_JSON_H
#define DFOPT_CMD_DEMO_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

struct demo_json {
    struct json_object *object; /* owned until end or text */
    bool ok;                    /* there was memory so far */
};

struct demo_json demo_json_begin(void);

/* Takes the value; NULL is a failure. */
void demo_json_put(struct demo_json *j, const char *name,
                   struct json_object *value);

void demo_json_put_text(struct demo_json *j, const char *name, const char *text);
void demo_json_put_int(struct demo_json *j, const char *name, int64_t i);
void demo_json_put_bool(struct demo_json *j, const char *name, bool b);

/* A finite number, as the shortest text that reads back the same. */
void demo_json_put_real(struct demo_json *j, const char *name, double d);

/* The object, owned by the caller; NULL on NOMEM. */
struct json_object *demo_json_end(struct demo_json *j);

/* Its text on one line, owned (free), and frees the object; NULL on NOMEM. */
char *demo_json_text(struct demo_json *j);

#endif
