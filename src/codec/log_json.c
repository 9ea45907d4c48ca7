/* Log lines as JSON objects. Any log collector may read them, unlike messages
 * on the wire: a real that is not finite becomes null. */
#include "codec/codec.h"
#include "json/write.h"

static void put_field(struct dfopt_put *p, const struct dfopt_field *f)
{
    switch (f->kind) {
    case DFOPT_FIELD_INT:
        dfopt_member_int(p, f->name, f->i);
        break;
    case DFOPT_FIELD_REAL:
        dfopt_member_real(p, f->name, f->d);
        break;
    case DFOPT_FIELD_BOOL:
        dfopt_member_bool(p, f->name, f->i);
        break;
    case DFOPT_FIELD_JSON:
        dfopt_put_key(p, f->name);
        dfopt_put_raw(p, f->text ? f->text : "null");
        break;
    default:
        dfopt_member_text(p, f->name, f->text);
        break;
    }
}

enum dfopt_err dfopt_log_format_json(const struct dfopt_log_line *line,
                                     struct dfopt_buf *out)
{
    char when[32];
    dfopt_log_time(line->wall_ns, when);
    struct dfopt_put p = dfopt_put_start(out, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "event", line->event);
    for (const struct dfopt_field *f = line->fields; f->kind; f++)
        put_field(&p, f);
    dfopt_member_text(&p, "level", dfopt_log_level_name(line->level));
    dfopt_member_text(&p, "timestamp", when);
    dfopt_member_text(&p, "logger", "dfopt-mpi");
    dfopt_put_raw(&p, "}\n");
    return dfopt_put_end(&p);
}
