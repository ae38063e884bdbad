// Entry point: one round of plain iteration until escape.
//
// Where a pixel that has left the escape radius cannot come back, BLOCK steps are made unchecked; the block in
// which a pixel left is then made again one step at a time from its kept start. On a device whose
// invocations run in step, all pixels of a subgroup do this together at the end of their blocks.

fn surely_inside(c: vec2<f32>) -> bool {
    // Rounding moves either side by less than 2e-6 for |c| <= 2: a point outside never passes.
    let margin = 4e-6;
    let y2 = c.y * c.y;
    let p = c.x - 0.25;
    let q = p * p + y2;
    let cardioid = q * (q + p) < 0.25 * y2 - margin;
    let d = c.x + 1.0;
    let disc = d * d + y2 < 0.0625 - margin;
    return cardioid || disc;
}

fn finish(state: State, n: u32) {
    output[state.pixel] = n;
    if has(FLAG_NORM) {
        output[params.plane + state.pixel] = bitcast<u32>(norm2(state.z));
    }
    write_derivative(state);
}

// Makes this round's steps; whether the pixel is to go on in the next one.
fn advance_round(carried: ptr<function, State>) -> bool {
    var state = *carried;
    let row = select(state.pixel / params.width, state.pixel, has(FLAG_LISTED));
    let c = parameter(columns[state.pixel % params.width], rows[row]);
    if has(FLAG_FRESH) && has(FLAG_SHORTCUTS) && surely_inside(leading(c)) {
        finish(state, 0u);
        return false;
    }
    let blocks = has(FLAG_BLOCKS);
    var left = params.steps;
    while left > 0u {
        if blocks {
            var start = state;
            var out = false;
            while left >= BLOCK && !out {
                start = state;
                state = advance(state, c);
                state = advance(state, c);
                state = advance(state, c);
                state = advance(state, c);
                state = advance(state, c);
                state = advance(state, c);
                state = advance(state, c);
                state = advance(state, c);
                out = may_be_out(state.z);
                left = select(left - BLOCK, left, out);
            }
            if out {
                state = start;
            }
        }
        for (var single = min(left, BLOCK); single > 0u; single -= 1u) {
            state = advance(state, c);
            left -= 1u;
            if is_out(state.z) {
                finish(state, params.first_step + (params.steps - left));
                return false;
            }
        }
    }
    if params.first_step + params.steps >= params.limit {
        finish(state, 0u);
        return false;
    }
    *carried = state;
    return true;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var state: State;
    var alive = id.x < atomicLoad(&slots[params.slot].count);
    if alive {
        if has(FLAG_FRESH) {
            state = fresh(id.x);
        } else {
            state = states_in[id.x];
        }
        alive = advance_round(&state);
    }
    append(alive, state, lane);
}
