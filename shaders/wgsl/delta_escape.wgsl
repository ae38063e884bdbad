// How a pixel's way as a delta ends where escape is asked for.

fn write_moves(state: State) {
    if has(FLAG_MOVES) {
        output[params.plane + state.pixel] = moves;
    }
}

// It escaped with the value `whole`, at its last step.
fn finish_out(state: State, whole: Number) {
    output[state.pixel] = state.n;
    if has(FLAG_NORM) {
        output[params.plane + state.pixel] = bitcast<u32>(norm2(whole));
    }
    write_moves(state);
    write_derivative(state);
}

// It reached the limit.
fn finish_limit(state: State, whole: Number) {
    output[state.pixel] = 0u;
    if has(FLAG_NORM) {
        output[params.plane + state.pixel] = 0u;
    }
    write_moves(state);
    write_derivative(state);
}
