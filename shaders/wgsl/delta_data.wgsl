// What the pixels of a deep view share: the reference orbit, and blocks of its steps that can be made at once.

struct Delta {
    // Coordinates are in units of 2^this.
    c_exponent: i32,
    // Index of the reference's last value.
    last: u32,
    // Blocks have 2^level steps, for levels from the first up to, and without, the end; none where they are equal.
    first_level: u32,
    end_level: u32,
    // Size of a pixel in the plane.
    spacing: f32,
    spacing_exponent: i32,
    padding: vec2<u32>,
    // The place of each level's first block.
    offsets: array<vec4<u32>, 8>,
}

// z' = a z + b c, for |z| below its radius.
struct Block {
    a: Number,
    b: Number,
    // Of a and of b; the others are 0, and of the first block what no compiler can know: see hide_memory.wgsl.
    exponents: vec4<i32>,
}

@group(0) @binding(7) var<uniform> delta: Delta;
// Its values; behind them the small ones among them, each a normalised value and its exponent.
@group(0) @binding(8) var<storage, read> reference: array<Number>;
@group(0) @binding(9) var<storage, read> blocks: array<Block>;
// As magnitude() has it.
@group(0) @binding(10) var<storage, read> radii: array<i32>;

fn reference_at(m: u32) -> Scaled {
    let value = reference[m];
    let place = place_of_small(value);
    if place < 0 {
        return Scaled(value, 0);
    }
    let at = delta.last + 1u + 2u * u32(place);
    return Scaled(reference[at], whole_part(reference[at + 1u]));
}

// The level and the place of the longest block that starts at m and may be applied to `z`, with `left` steps to the
// limit; level 0 where there is none.
fn block_at(m: u32, z: Scaled, left: u32) -> vec2<u32> {
    // No block starts at 0: the reference is 0 there, and nothing is small against it.
    let start = m - 1u;
    var found = vec2<u32>(0u, 0u);
    if (start & ((1u << delta.first_level) - 1u)) != 0u {
        return found;
    }
    let size = magnitude(z.value, z.exponent);
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
