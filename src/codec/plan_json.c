/* An ActionPlan as applications read it. */
#include "codec/codec.h"
#include "json/write.h"
#include "model/decision.h"

#include <string.h>

static void put_plan_id(struct dfopt_put *p, const struct dfopt_plan *plan,
                        uint32_t run)
{
    if (plan->relay_id != DFOPT_SYM_NONE) {
        dfopt_put_sym(p, plan->relay_id);
        return;
    }
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    dfopt_plan_id_run_text(plan->plan_id, run, id);
    dfopt_put_text(p, id, strlen(id));
}

static void put_rationale(struct dfopt_put *p, const struct dfopt_plan *plan)
{
    struct dfopt_buf text = {0};
    if (!p->e)
        p->e = dfopt_plan_rationale(p->dict, plan, &text);
    dfopt_put_text(p, text.data ? text.data : "", text.len);
    dfopt_buf_free(&text);
}

/* The nodes that a plan targets; none: the whole job. */
static const dfopt_sym *targets(const struct dfopt_dict *dict,
                                const struct dfopt_plan *plan, size_t *n)
{
    *n = plan->node != DFOPT_SYM_EMPTY;
    return plan->relay_id == DFOPT_SYM_NONE
               ? &plan->node
               : dfopt_dict_items(dict, plan->targets, n);
}

static size_t target_count(const struct dfopt_dict *dict,
                           const struct dfopt_plan *plan)
{
    size_t n;
    (void)targets(dict, plan, &n);
    return n;
}

static void put_targets(struct dfopt_put *p, const struct dfopt_plan *plan)
{
    size_t n;
    const dfopt_sym *nodes = targets(p->dict, plan, &n);
    dfopt_put_raw(p, "[");
    for (size_t i = 0; i < n; i++) {
        dfopt_put_raw(p, i ? "," : "");
        dfopt_put_sym(p, nodes[i]);
    }
    dfopt_put_raw(p, "]");
}

enum dfopt_err dfopt_codec_plan_json(const struct dfopt_dict *dict,
                                     const struct dfopt_plan *p, uint32_t run,
                                     struct dfopt_buf *out)
{
    struct dfopt_put to = dfopt_put_start(out, dict);
    dfopt_put_raw(&to, "{\"plan_id\":");
    put_plan_id(&to, p, run);
    dfopt_put_raw(&to, ",\"knob_id\":");
    dfopt_put_sym(&to, p->knob);
    dfopt_put_raw(&to, ",\"target_function\":");
    dfopt_put_sym(&to, p->target_function);
    dfopt_put_raw(&to, ",\"old_value\":");
    dfopt_put_value(&to, p->old_value);
    dfopt_put_raw(&to, ",\"new_value\":");
    dfopt_put_value(&to, p->new_value);
    dfopt_put_raw(&to, ",\"apply_when\":");
    dfopt_put_sym(&to, p->apply_when);
    dfopt_put_raw(&to, ",\"rationale\":");
    put_rationale(&to, p);
    dfopt_put_raw(&to, ",\"finding_type\":");
    dfopt_put_sym(&to, p->finding_type);
    dfopt_put_raw(&to, ",\"severity\":");
    dfopt_put_real(&to, p->severity);
    dfopt_put_raw(&to, ",\"opportunity_tag\":");
    dfopt_put_sym(&to, p->tag);
    dfopt_put_raw(&to, ",\"window_index\":");
    dfopt_put_int(&to, p->window);
    dfopt_put_raw(&to, ",\"target_nodes\":");
    put_targets(&to, p);
    dfopt_put_raw(&to, "}");
    return dfopt_put_end(&to);
}

enum dfopt_err dfopt_codec_plan_metadata(const struct dfopt_dict *dict,
                                         const struct dfopt_plan *p, uint32_t run,
                                         struct dfopt_buf *out)
{
    struct dfopt_put to = dfopt_put_start(out, dict);
    dfopt_put_raw(&to, "{\"type\":\"action_plan\",\"plan_id\":");
    put_plan_id(&to, p, run);
    dfopt_put_raw(&to, ",\"knob_id\":");
    dfopt_put_sym(&to, p->knob);
    dfopt_put_raw(&to, ",\"target_function\":");
    dfopt_put_sym(&to, p->target_function);
    if (target_count(dict, p)) {
        dfopt_put_raw(&to, ",\"target_nodes\":");
        put_targets(&to, p);
    }
    dfopt_put_raw(&to, "}");
    return dfopt_put_end(&to);
}
