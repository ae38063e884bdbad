// How a pixel's way as a delta ends where |z_N| is asked for.

const NOT_A_NUMBER: u32 = 0x7fc00000u;

// It will never come back.
fn finish_out(state: State, whole: Number) {
    output[state.pixel] = NOT_A_NUMBER;
    output[params.plane + state.pixel] = 0u;
}

// It reached the limit with the value `whole`.
fn finish_limit(state: State, whole: Number) {
    let norm = norm2_pair(whole);
    output[state.pixel] = bitcast<u32>(norm.x);
    output[params.plane + state.pixel] = bitcast<u32>(norm.y);
}
