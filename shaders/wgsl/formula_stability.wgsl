// Entry point: one round of plain iteration of a formula to exactly N steps, for |z_N|.
//
// `radius2` is the square of a bound that no orbit comes back from; a pixel beyond it is given up at the next test,
// whichever step it left at.

const NOT_A_NUMBER: u32 = 0x7fc00000u;

fn advance_round(carried: ptr<function, State>) -> bool {
    let pixel = (*carried).pixel;
    var orbit = (*carried).orbit;
    let point = point_of(pixel);
    let given = given_value();
    let c = c_of(point, given);
    if has(FLAG_FRESH) {
        orbit = orbit_of(start_of(point, given));
    }
    var left = params.steps;
    var out = false;
    while left >= FORMULA_BLOCK && !out {
        orbit = block(orbit, c);
        left -= FORMULA_BLOCK;
        out = may_be_out(orbit.z);
    }
    while left > 0u && !out {
        out = trace_cycle(&orbit, c, &left);
    }
    if out {
        output[pixel] = NOT_A_NUMBER;
        output[params.plane + pixel] = 0u;
        return false;
    }
    if params.first_step + params.steps >= params.limit {
        let norm = norm2_pair(orbit.z);
        output[pixel] = bitcast<u32>(norm.x);
        output[params.plane + pixel] = bitcast<u32>(norm.y);
        return false;
    }
    *carried = State(orbit, pixel);
    return true;
}
