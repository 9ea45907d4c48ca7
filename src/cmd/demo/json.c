#include "cmd/demo/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct demo_json demo_json_begin(void)
{
    struct json_object *object = json_object_new_object();
    return (struct demo_json){object, object != NULL};
}

void demo_json_put(struct demo_json *j, const char *name, struct json_object *value)
{
    if (j->ok && value && json_object_object_add(j->object, name, value) == 0)
        return;
    json_object_put(value);
    j->ok = false;
}

void demo_json_put_text(struct demo_json *j, const char *name, const char *text)
{
    demo_json_put(j, name, json_object_new_string(text));
}

void demo_json_put_int(struct demo_json *j, const char *name, int64_t i)
{
    demo_json_put(j, name, json_object_new_int64(i));
}

void demo_json_put_bool(struct demo_json *j, const char *name, bool b)
{
    demo_json_put(j, name, json_object_new_boolean(b));
}

void demo_json_put_real(struct demo_json *j, const char *name, double d)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text - 2, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    if (!strpbrk(text, ".e"))
        strcat(text, ".0");
    demo_json_put(j, name, json_object_new_double_s(d, text));
}

struct json_object *demo_json_end(struct demo_json *j)
{
    if (!j->ok) {
        json_object_put(j->object);
        j->object = NULL;
    }
    return j->object;
}

char *demo_json_text(struct demo_json *j)
{
    struct json_object *object = demo_json_end(j);
    const char *text =
        object
            ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE)
            : NULL;
    char *copy = text ? strdup(text) : NULL;
    json_object_put(object);
    return copy;
}
