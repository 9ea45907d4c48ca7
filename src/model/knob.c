/* Knobs, responses, registrations: defaults, copies, names. */
#include "model/knob.h"

#include "base/names.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct dfopt_response dfopt_response_default(struct dfopt_dict *dict, dfopt_sym tag)
{
    return (struct dfopt_response){
        .tag = tag,
        .apply_when = dfopt_dict_intern_z(dict, "epoch_boundary"),
        .direction = DFOPT_DIRECTION_INCREASE,
        .step_mode = DFOPT_STEP_ADD,
        .step = dfopt_value_null(),
        .set_to = dfopt_value_null(),
        .min_severity = 0.5,
        .min_persistence = 2,
        .cooldown_windows = 3,
        .effectiveness_threshold = 0.10,
    };
}

void dfopt_knob_clear(struct dfopt_knob *k)
{
    free(k->values);
    free(k->responses);
    *k = (struct dfopt_knob){0};
}

void dfopt_registration_clear(struct dfopt_registration *r)
{
    for (size_t i = 0; i < r->n_knobs; i++)
        dfopt_knob_clear(&r->knobs[i]);
    free(r->knobs);
    *r = (struct dfopt_registration){0};
}

enum dfopt_err dfopt_knob_copy(struct dfopt_knob *out, const struct dfopt_knob *src)
{
    size_t values = src->n_values * sizeof *src->values;
    size_t responses = src->n_responses * sizeof *src->responses;
    struct dfopt_knob k = *src;
    k.values = malloc(values ? values : 1);
    k.responses = malloc(responses ? responses : 1);
    if (!k.values || !k.responses) {
        free(k.values);
        free(k.responses);
        return DFOPT_ERR_NOMEM;
    }
    if (values)
        memcpy(k.values, src->values, values);
    if (responses)
        memcpy(k.responses, src->responses, responses);
    *out = k;
    return DFOPT_OK;
}

DFOPT_NAME_FUNCTION(dfopt_knob_type_name, DFOPT_KNOB_TYPE_LIST, DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_direction_name, DFOPT_DIRECTION_LIST, DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_step_mode_name, DFOPT_STEP_MODE_LIST, DFOPT_NAME_TEXT)

bool dfopt_knob_is_per_node(const struct dfopt_dict *dict,
                            const struct dfopt_knob *k)
{
    struct dfopt_text scope;
    scope.at = dfopt_dict_text(dict, k->scope, &scope.len);
    return dfopt_text_is(scope, "node") || dfopt_text_is(scope, "rank_local");
}
