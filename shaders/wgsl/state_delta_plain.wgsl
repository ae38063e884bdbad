// A pixel on its way as a delta: where it is, and where along the reference.

struct State {
    z: Number,
    exponent: i32,
    // Index of the reference's value that z is the delta from.
    m: u32,
    // Steps made.
    n: u32,
    // Index within the part of the strip that is computed.
    pixel: u32,
}

const DERIVES: bool = false;

fn fresh(pixel: u32) -> State {
    return State(nought(), NOTHING, 0u, 0u, pixel);
}

fn derive(state: ptr<function, State>, factor: Scaled, summand: Scaled) {}

fn write_derivative(state: State) {}
