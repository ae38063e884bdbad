// Where an orbit of any formula is.

const HAS_SLOPE: bool = false;

struct Orbit {
    z: Complex,
}

fn orbit_of(z: Complex) -> Orbit {
    return Orbit(z);
}

fn squared(o: Orbit) -> Orbit {
    return Orbit(square(o.z));
}

fn squared_plus(o: Orbit, c: Complex) -> Orbit {
    return Orbit(step(o.z, c));
}

fn multiplied(o: Orbit, kept: Orbit) -> Orbit {
    return Orbit(multiply(o.z, kept.z));
}

fn rotated(o: Orbit, turn: Complex) -> Orbit {
    return Orbit(multiply(o.z, turn));
}

fn added(o: Orbit, c: Complex) -> Orbit {
    return Orbit(sum(o.z, c));
}

fn abs_x(o: Orbit) -> Orbit {
    return Orbit(abs_re(o.z));
}

fn abs_y(o: Orbit) -> Orbit {
    return Orbit(abs_im(o.z));
}

fn neg_x(o: Orbit) -> Orbit {
    return Orbit(neg_re(o.z));
}

fn neg_y(o: Orbit) -> Orbit {
    return Orbit(neg_im(o.z));
}

fn steepness(o: Orbit) -> f32 {
    return 0.0;
}
