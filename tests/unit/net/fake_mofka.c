/* A module for Mofka without a broker: it has one topic, of the name that its group
 * file names. */
#include "net/mofka/module.h"

#include <string.h>

static char only[64];

static enum dfopt_err connect_to(struct dfopt_mofka_broker **out,
                                 const char *group_file, struct dfopt_error *err)
{
    (void)err;
    strncpy(only, group_file, sizeof only - 1);
    *out = (struct dfopt_mofka_broker *)(void *)only;
    return DFOPT_OK;
}

static enum dfopt_err topic_open(struct dfopt_mofka_topic **out,
                                 struct dfopt_mofka_broker *b, const char *name,
                                 struct dfopt_error *err)
{
    (void)b;
    if (strcmp(name, only) != 0) {
        strcpy(err->text, "no such topic");
        return err->code = DFOPT_ERR_ARG;
    }
    *out = (struct dfopt_mofka_topic *)(void *)only;
    return DFOPT_OK;
}

static enum dfopt_err always(const struct dfopt_mofka_broker *b,
                             struct dfopt_error *err)
{
    (void)b;
    (void)err;
    return DFOPT_OK;
}

static enum dfopt_err pong(struct dfopt_mofka_broker *b, struct dfopt_error *err)
{
    return always(b, err);
}

extern const struct dfopt_mofka_module dfopt_mofka_module;
__attribute__((visibility("default")))
const struct dfopt_mofka_module dfopt_mofka_module = {.abi = DFOPT_MOFKA_ABI,
                                                      .connect = connect_to,
                                                      .topic_open = topic_open,
                                                      .check = always,
                                                      .ping = pong};
