// What the pixels of a deep view share: a page of the reference orbit, and blocks of its steps that can be made at
// once from there.
//
// An orbit that is too long for one buffer lies in several pages, each with the blocks that begin in it. A round sees
// one of them: pixels that are elsewhere along the orbit wait for theirs.

struct Delta {
    // Coordinates are in units of 2^this.
    c_exponent: i32,
    // Index of the reference's last value.
    last: u32,
    // Index of the page's first value, and one past its last.
    first: u32,
    end: u32,
    // Blocks have 2^level steps, for levels from the first up to, and without, the end; none where they are equal.
    first_level: u32,
    end_level: u32,
    // The same of polynomial blocks.
    first_jet_level: u32,
    end_jet_level: u32,
    // The place of the first polynomial block's radius.
    jet_radii: u32,
    // Polynomial blocks serve where magnitude() of z is over that of their radius by more than this, which is negative.
    least: i32,
    // Size of a pixel in the plane.
    spacing: f32,
    spacing_exponent: i32,
    // The place of each level's block that would begin at m = 1, as if there were all; so places of blocks that are
    // there may be sums past the end of u32.
    offsets: array<vec4<u32>, 8>,
    jet_offsets: array<vec4<u32>, 8>,
}

// z' = a z + b c, for |z| below its radius.
struct Block {
    a: Number,
    b: Number,
    // Of a and of b; the others are 0, and of the first block what no compiler can know: see hide_memory.wgsl.
    exponents: vec4<i32>,
}

@group(0) @binding(7) var<uniform> delta: Delta;
// The page's values; behind them the small ones among them, each a normalised value and its exponent.
@group(0) @binding(8) var<storage, read> reference: array<Number>;
@group(0) @binding(9) var<storage, read> blocks: array<Block>;
// As magnitude() has it.
@group(0) @binding(10) var<storage, read> radii: array<i32>;

// Whether a pixel at m finds its values and blocks in this page.
fn is_here(m: u32) -> bool {
    return m >= delta.first && m < delta.end;
}

fn reference_at(m: u32) -> Scaled {
    let value = reference[m - delta.first];
    let place = place_of_small(value);
    if place < 0 {
        return Scaled(value, 0);
    }
    let at = delta.end - delta.first + 2u * u32(place);
    return Scaled(reference[at], whole_part(reference[at + 1u]));
}

// The level and the place of the longest block that starts at m and may be applied to a z of magnitude `size`, with
// `left` steps to the limit; level 0 where there is none.
fn block_at(m: u32, size: i32, left: u32) -> vec2<u32> {
    // No block starts at 0: the reference is 0 there, and nothing is small against it.
    let start = m - 1u;
    var found = vec2<u32>(0u, 0u);
    for (var level = delta.first_level; level < delta.end_level; level += 1u) {
        let steps = 1u << level;
        if (start & (steps - 1u)) != 0u || m + steps > delta.last || steps > left {
            break;
        }
        let place = delta.offsets[level >> 2u][level & 3u] + (start >> level);
        if size >= radii[place] {
            break;
        }
        found = vec2<u32>(level, place);
    }
    return found;
}

// The same for polynomial blocks.
fn jet_at(m: u32, size: i32, left: u32) -> vec2<u32> {
    let start = m - 1u;
    var found = vec2<u32>(0u, 0u);
    for (var level = delta.first_jet_level; level < delta.end_jet_level; level += 1u) {
        let steps = 1u << level;
        if (start & (steps - 1u)) != 0u || m + steps > delta.last || steps > left {
            break;
        }
        let place = delta.jet_offsets[level >> 2u][level & 3u] + (start >> level);
        let radius = radii[delta.jet_radii + place];
        if size >= radius {
            break;
        }
        // Too small a z may do for a longer block.
        if size > radius + delta.least {
            found = vec2<u32>(level, place);
        }
    }
    return found;
}
