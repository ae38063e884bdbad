@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var state: State;
    var alive = id.x < atomicLoad(&slots[params.slot].count);
    if alive {
        if has(FLAG_FRESH) {
            state.pixel = id.x;
        } else {
            state = states_in[id.x];
        }
        alive = advance_round(&state);
    }
    append(alive, state, lane);
}
