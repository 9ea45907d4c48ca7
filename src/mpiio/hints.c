#include "mpiio/hints.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dfopt_hint *find(struct dfopt_hints *h, const char *name)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (strcmp(h->of[i].name, name) == 0)
            return &h->of[i];
    return NULL;
}

const char *dfopt_hints_get(const struct dfopt_hints *h, const char *name)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (strcmp(h->of[i].name, name) == 0)
            return h->of[i].value;
    return NULL;
}

static void take_out(struct dfopt_hints *h, struct dfopt_hint *at)
{
    const size_t behind = (size_t)(&h->of[h->n] - (at + 1));
    memmove(at, at + 1, behind * sizeof *at);
    h->n--;
}

enum dfopt_err dfopt_hints_set(struct dfopt_hints *h, const char *name,
                               const char *value)
{
    struct dfopt_hint *at = find(h, name);
    if (!value) {
        if (at)
            take_out(h, at);
        return DFOPT_OK;
    }
    if (!*name || strlen(name) >= DFOPT_HINT_NAME_SIZE || !*value ||
        strlen(value) >= DFOPT_HINT_VALUE_SIZE || (!at && h->n == DFOPT_HINTS_MAX))
        return DFOPT_ERR_ARG;
    at = at ? at : &h->of[h->n++];
    memset(at, 0, sizeof *at); /* do not send bytes of an earlier value */
    memcpy(at->name, name, strlen(name));
    memcpy(at->value, value, strlen(value));
    return DFOPT_OK;
}

enum dfopt_err dfopt_hint_text(const struct dfopt_client_value *v,
                               char text[DFOPT_HINT_VALUE_SIZE])
{
    int n = 0;
    switch (v->kind) {
    case DFOPT_CLIENT_INT:
        n = snprintf(text, DFOPT_HINT_VALUE_SIZE, "%" PRId64, v->i);
        break;
    case DFOPT_CLIENT_BOOL:
        n = snprintf(text, DFOPT_HINT_VALUE_SIZE, "%s", v->b ? "true" : "false");
        break;
    case DFOPT_CLIENT_STR:
        n = snprintf(text, DFOPT_HINT_VALUE_SIZE, "%s", v->s);
        break;
    case DFOPT_CLIENT_NULL:
    case DFOPT_CLIENT_FLOAT:
        break;
    }
    return n > 0 && n < DFOPT_HINT_VALUE_SIZE ? DFOPT_OK : DFOPT_ERR_ARG;
}

static bool whole(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

bool dfopt_hint_value(const char *text, enum dfopt_client_kind kind,
                      struct dfopt_client_value *out)
{
    struct dfopt_client_value v = {.kind = kind};
    bool ok = true;
    if (kind == DFOPT_CLIENT_INT)
        ok = whole(text, &v.i);
    else if (kind == DFOPT_CLIENT_BOOL)
        ok = (v.b = strcmp(text, "true") == 0) || strcmp(text, "false") == 0;
    else
        ok = snprintf(v.s, sizeof v.s, "%s", text) < DFOPT_HINT_VALUE_SIZE;
    if (ok)
        *out = v;
    return ok;
}

enum dfopt_err dfopt_hints_merge(const struct dfopt_hints *h, MPI_Info given,
                                 bool creates, MPI_Info *out)
{
    MPI_Info info = MPI_INFO_NULL;
    int rc = given == MPI_INFO_NULL ? PMPI_Info_create(&info)
                                    : PMPI_Info_dup(given, &info);
    for (uint32_t i = 0; rc == MPI_SUCCESS && i < h->n; i++)
        if (creates || strncmp(h->of[i].name, "striping_", 9) != 0)
            rc = PMPI_Info_set(info, h->of[i].name, h->of[i].value);
    if (rc != MPI_SUCCESS) {
        if (info != MPI_INFO_NULL)
            PMPI_Info_free(&info);
        return DFOPT_ERR_MPI;
    }
    *out = info;
    return DFOPT_OK;
}
