#include "transport/zmq/ask.h"

static bool get_text(struct json_object *j, const char *name, char *out,
                     size_t size)
{
    struct dfopt_text text = dfopt_text_z("");
    if (dfopt_json_get_text(j, name, &text, NULL) || text.len >= size ||
        memchr(text.at, '\0', text.len))
        return false;
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return true;
}

bool dfopt_zmq_ask_read(struct dfopt_json_parser *parser, struct dfopt_text member,
                        struct dfopt_zmq_asked *out)
{
    struct json_object *j = NULL;
    int64_t number = 0;
    if (dfopt_json_parse(parser, member.at, member.len, &j, NULL))
        return false;
    const bool good =
        get_text(j, "instance", out->instance, sizeof out->instance) &&
        get_text(j, "node", out->node, sizeof out->node) &&
        !dfopt_json_get_whole(j, "number", &number, NULL) && number > 0 &&
        out->instance[0];
    json_object_put(j);
    out->ask = (struct dfopt_ask){out->instance, out->node, (uint64_t)number};
    return good;
}
