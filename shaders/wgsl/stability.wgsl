// Entry point: one round of plain iteration to exactly N steps, for |z_N|.
//
// `radius2` is the square of a bound that no orbit comes back from; a pixel beyond it is given up at the next
// test, whichever step it left at.

const NOT_A_NUMBER: u32 = 0x7fc00000u;

fn advance_round(carried: ptr<function, State>) -> bool {
    var state = *carried;
    let row = select(state.pixel / params.width, state.pixel, has(FLAG_LISTED));
    let c = parameter(columns[state.pixel % params.width], rows[row]);
    var left = params.steps;
    var out = false;
    while left >= BLOCK && !out {
        state = advance(state, c);
        state = advance(state, c);
        state = advance(state, c);
        state = advance(state, c);
        state = advance(state, c);
        state = advance(state, c);
        state = advance(state, c);
        state = advance(state, c);
        left -= BLOCK;
        out = may_be_out(state.z);
    }
    while left > 0u && !out {
        state = advance(state, c);
        left -= 1u;
        out = may_be_out(state.z);
    }
    if out {
        output[state.pixel] = NOT_A_NUMBER;
        output[params.plane + state.pixel] = 0u;
        return false;
    }
    if params.first_step + params.steps >= params.limit {
        let norm = norm2_pair(state.z);
        output[state.pixel] = bitcast<u32>(norm.x);
        output[params.plane + state.pixel] = bitcast<u32>(norm.y);
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
