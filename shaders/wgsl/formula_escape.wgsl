// Entry point: one round of plain iteration of a formula until escape.
//
// Where a pixel that has left the escape radius cannot come back, FORMULA_BLOCK steps are made unchecked, which are whole
// cycles of the formula's phases; the block in which a pixel left is then made again one step at a time from its kept
// start. Rounds begin where cycles do.

fn finish(state: State, n: u32) {
    output[state.pixel] = n;
    if has(FLAG_NORM) {
        // |z|, of which the square may be out of range.
        output[params.plane + state.pixel] = bitcast<u32>(length_of(leading(state.orbit.z)));
        if HAS_SLOPE {
            output[2u * params.plane + state.pixel] = bitcast<u32>(steepness(state.orbit));
        }
    }
}

fn advance_round(carried: ptr<function, State>) -> bool {
    let pixel = (*carried).pixel;
    var orbit = (*carried).orbit;
    let point = point_of(pixel);
    let given = given_value();
    let c = c_of(point, given);
    if has(FLAG_FRESH) {
        orbit = orbit_of(start_of(point, given));
    }
    let blocks = has(FLAG_BLOCKS);
    var left = params.steps;
    while left > 0u {
        if blocks {
            var start = orbit;
            var out = false;
            while left >= FORMULA_BLOCK && !out {
                start = orbit;
                orbit = block(orbit, c);
                out = may_be_out(orbit.z);
                left = select(left - FORMULA_BLOCK, left, out);
            }
            if out {
                orbit = start;
            }
        }
        for (var cycles = 0u; cycles < CYCLES && left > 0u; cycles += 1u) {
            if trace_cycle(&orbit, c, &left) {
                finish(State(orbit, pixel), params.first_step + (params.steps - left));
                return false;
            }
        }
    }
    if params.first_step + params.steps >= params.limit {
        finish(State(orbit, pixel), 0u);
        return false;
    }
    *carried = State(orbit, pixel);
    return true;
}
