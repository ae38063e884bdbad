// A pixel on its way: its orbit alone.

struct State {
    z: Complex,
    // Index within the part of the strip that is computed.
    pixel: u32,
}

fn fresh(pixel: u32) -> State {
    return State(start_value(params.z0), pixel);
}

fn advance(s: State, c: Complex) -> State {
    return State(step(s.z, c), s.pixel);
}

fn write_derivative(s: State) {}
