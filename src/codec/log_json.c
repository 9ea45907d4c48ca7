/* Log lines as JSON objects. Unlike the wire's, their readers are any log
 * collector's: a real that is not finite becomes null. */
#include "codec/codec.h"
#include "json/write.h"

#include <math.h>
#include <string.h>

static void put_text(struct dfopt_put *p, const char *text)
{
    if (text)
        dfopt_put_text(p, text, strlen(text));
    else
        dfopt_put_raw(p, "null");
}

static void put_field(struct dfopt_put *p, const struct dfopt_field *f)
{
    dfopt_put_raw(p, ",");
    put_text(p, f->name);
    dfopt_put_raw(p, ":");
    switch (f->kind) {
    case DFOPT_FIELD_INT:
        dfopt_put_int(p, f->i);
        break;
    case DFOPT_FIELD_REAL:
        if (isfinite(f->d))
            dfopt_put_real(p, f->d);
        else
            dfopt_put_raw(p, "null");
        break;
    case DFOPT_FIELD_BOOL:
        dfopt_put_raw(p, f->i ? "true" : "false");
        break;
    case DFOPT_FIELD_JSON:
        dfopt_put_raw(p, f->text ? f->text : "null");
        break;
    default:
        put_text(p, f->text);
        break;
    }
}

enum dfopt_err dfopt_log_format_json(const struct dfopt_log_line *line,
                                     struct dfopt_buf *out)
{
    char when[32];
    dfopt_log_time(line->wall_ns, when);
    struct dfopt_put p = dfopt_put_start(out, NULL);
    dfopt_put_raw(&p, "{\"event\":");
    put_text(&p, line->event);
    for (const struct dfopt_field *f = line->fields; f->kind; f++)
        put_field(&p, f);
    dfopt_put_raw(&p, ",\"level\":");
    put_text(&p, dfopt_log_level_name(line->level));
    dfopt_put_raw(&p, ",\"timestamp\":");
    put_text(&p, when);
    dfopt_put_raw(&p, ",\"logger\":\"dfopt-mpi\"}\n");
    return dfopt_put_end(&p);
}
