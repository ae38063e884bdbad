// Entry point: one round of deltas from a reference orbit.
//
// In a round every pixel that finds its part of the orbit takes up to the same number of moves, each a step or a block of
// steps. Whenever its whole value is nearer to 0 than its delta is to the reference, and at the reference's end, the
// whole value becomes the delta from the reference's start (rebasing), which loses nothing. Values are looked at
// before a move and not after it, since the move may lead to another page.

// Moves that the pixel has made.
var<private> moves: u32;

fn advance_round(carried: ptr<function, State>) -> bool {
    var state = *carried;
    let listed = has(FLAG_LISTED);
    let column = select(state.pixel % params.width, state.pixel, listed);
    let row = select(state.pixel / params.width, state.pixel, listed);
    let own = number(columns[column], columns[params.width + row]);
    let c = normalised(own, delta.c_exponent);
    let near_c = scaled(c.value, c.exponent);
    let skips = has(FLAG_SHORTCUTS);
    let ties = has(FLAG_TIES);
    let unit = Scaled(one(), 0);
    var z = Scaled(state.z, state.exponent);
    for (var left = params.steps; left > 0u && is_here(state.m); left -= 1u) {
        moves = params.first_step + (params.steps - left);
        var at = reference_at(state.m);
        let ends = state.m == delta.last;
        var again = ends;
        var whole = z;
        if z.exponent == 0 {
            whole.value = add(scaled(at.value, at.exponent), z.value);
            var out = is_out(whole.value);
            if ties && at.exponent == 0 && is_tied(at.value) {
                out = is_just_out(at.value, z.value, 0);
            }
            if out {
                finish_out(state, whole.value);
                return false;
            }
            again = again || is_nearer(whole.value, z.value);
        } else if ends || at.exponent != 0 || ties {
            let sum = add_scaled(normalised(at.value, at.exponent), z);
            whole = normalised(sum.value, sum.exponent);
            let near = scaled(whole.value, whole.exponent);
            var out = ends && is_out(near);
            if ties && at.exponent == 0 && is_tied(at.value) {
                out = is_just_out(at.value, z.value, z.exponent);
            }
            if out {
                finish_out(state, near);
                return false;
            }
            again = again || magnitude(whole.value, whole.exponent) < magnitude(z.value, z.exponent);
        }
        if again {
            z = settled(whole);
            state.m = 0u;
            at = Scaled(nought(), NOTHING);
        }
        if state.n >= params.limit {
            finish_limit(state, add(scaled(at.value, at.exponent), scaled(z.value, z.exponent)));
            return false;
        }
        if !is_here(state.m) {
            break;
        }
        var found = vec2<u32>(0u, 0u);
        var jet = vec2<u32>(0u, 0u);
        if skips && state.m > 0u {
            let size = magnitude(z.value, z.exponent);
            found = block_at(state.m, size, params.limit - state.n);
            jet = jet_at(state.m, size, params.limit - state.n);
        }
        var steps = 1u;
        if jet.x > found.x {
            let moved = jet_move(jet.y, z, own, DERIVES);
            derive(&state, moved.factor, moved.summand);
            z = moved.delta;
            steps = 1u << jet.x;
        } else if found.x > 0u {
            let block = blocks[found.y];
            let small = normalised(z.value, z.exponent);
            let a = Scaled(multiply(block.a, small.value), block.exponents.x + small.exponent);
            let b = Scaled(multiply(block.b, c.value), block.exponents.y + c.exponent);
            derive(&state, Scaled(block.a, block.exponents.x), Scaled(block.b, block.exponents.y));
            z = settled(add_scaled(a, b));
            steps = 1u << found.x;
        } else {
            let step = delta_step(at, z, c, near_c);
            derive(&state, step.factor, unit);
            z = step.delta;
        }
        state.m += steps;
        state.n += steps;
    }
    state.z = z.value;
    state.exponent = z.exponent;
    *carried = state;
    return true;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    know_zero(u32(blocks[0].exponents.z));
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
