"""The next value of a knob."""
import math

from rules.base import Bad, CASTS, is_num, real, same


class Steps:
    """A part of Planner."""
    # -- arithmetic
    def _next(self, k, r, old, c):
        d, mode, strict = r["direction"], r["step_mode"], self.p["strict_types"]
        if strict and k.type in ("bool", "str") and d != "set":
            raise Bad("unsupported")
        if strict and d != "set" and k.type in ("int", "float") and not is_num(old):
            raise Bad("unsupported")
        if k.values is not None and self.p["enum_step"] == "neighbour":
            return self._neighbour(k, r, old, c)
        if d == "set":
            new = r["set_to"]
            if strict and not {"int": is_num, "float": is_num, "bool": lambda v: isinstance(v, bool),
                               "str": lambda v: isinstance(v, str)}[k.type](new):
                raise Bad("unsupported")
        elif mode == "evidence":
            new = self._evidence(old, c, d)
        elif d in ("increase", "decrease"):
            if mode == "multiply":
                new = max(old * r["step"], old + 1) if d == "increase" else old // r["step"]
            else:
                delta = self._delta(k, r["step"], c)
                new = old + delta if d == "increase" else old - delta
        else:
            raise Bad("unsupported")
        return self._clamp(k, new)

    def _neighbour(self, k, r, old, c):
        vals, d = k.values, r["direction"]
        if d == "set":
            for v in vals:
                if same(v, r["set_to"]):
                    return v
            raise Bad("unsupported")
        if d not in ("increase", "decrease"):
            raise Bad("unsupported")
        at = next((i for i, v in enumerate(vals) if same(v, old)), None)
        if at is None:
            at = next((i for i, v in enumerate(vals) if same(v, k.default)), None)
        if at is None:
            raise Bad("unsupported")
        if r["step_mode"] == "evidence":
            want = self._evidence(old, c, d)
            if any(not is_num(v) for v in vals):
                raise Bad("unsupported")
            if d == "increase":
                fit = [v for v in vals if v >= want]
                return fit[0] if fit else vals[-1]
            fit = [v for v in vals if v <= want]
            return fit[-1] if fit else vals[0]
        beyond = vals[at + 1:] if d == "increase" else vals[:at][::-1]
        return next((v for v in beyond if not same(v, vals[at])), old)     # the next entry that differs

    def _delta(self, k, step, c):
        scaled = step * ((0.5 + 0.5 * c["sev"]) * (0.5 if c["trend"] == "stable" else 1.0))
        if k.type == "int":
            return 0 if scaled <= 0 else 1 if scaled < 1 else int(scaled)
        return CASTS[k.type](scaled)

    def _evidence(self, old, c, d):
        km = c["km"]

        def metric(*names):
            for n in names:
                if km.get(n) is not None:
                    v = real(km[n])
                    if v is None and not self.p["strict_types"]:
                        raise Bad("unsupported")
                    return v
            return None
        fetch = metric("fetch_frac", "fetch_iter_time_frac_parent")
        comp = metric("compute_frac", "compute_time_frac_parent")
        if fetch is None:
            if d == "decrease" and self.p["strict_direction"]:
                raise Bad("no_evidence")
            return max(old * 2, old + 1)
        comp = 1.0 - fetch if comp is None else comp
        if fetch <= 0.05:
            return old
        comp = max(comp, 0.01)
        target = max(int(fetch / comp), 1)
        if d == "increase":
            if target > old:
                return target
            return old + 1 if fetch > 0.20 and self.p["evidence_probe"] else old
        if d == "decrease":
            return target if comp > fetch else old
        if self.p["strict_types"]:
            raise Bad("unsupported")
        return max(old * 2, old + 1)

    def _clamp(self, k, v):
        if k.values is not None:
            return v if v in k.values else k.default
        if k.range is not None:
            lo, hi = k.range
            if self.p["strict_types"] and k.type == "int":
                lo, hi = math.ceil(lo), math.floor(hi)
            v = max(lo, min(hi, v))
        v = CASTS[k.type](v)
        if k.type == "int" and not -2 ** 63 <= v < 2 ** 63 or k.type == "float" and not math.isfinite(v):
            raise Bad("unsupported")
        return v
