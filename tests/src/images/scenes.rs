//! The views that the tests render.

/// A picture with odd sides, boundary, inside and outside: quick, and no strip like another. Plainly, whatever samples of
/// it say: its job has no reference orbit.
pub const QUICK: &str =
    "--arithmetic f64 --re -0.7436 --im 0.1318 --zoom 300 --size 317x211 --iterations 3000";

/// A narrow gap near -0.75, where every point takes π·10⁵ steps to leave: the processor needs seconds of one
/// core for it, so that there is time to disturb whoever renders it. Too deep for plain `f64` to be exact, which is
/// warned of; the bytes are still the same everywhere. (Deltas from a reference orbit would take minutes there.)
pub const SLOW: &str = "--arithmetic f64 --re -0.75 --im 0.00001 --zoom 3e9 --size 128x192 --iterations 1000000 --backend cpu";
/// Rows of its strips: 48 strips.
pub const SLOW_STRIPS: &str = "--strip-rows 4";

/// Ten times farther from the gap's end than [`SLOW`], in 48 strips of some milliseconds each: for workers that take
/// their time over each strip ([`Worker::steady`](crate::Worker::steady)), so that the job lasts on any machine.
pub const LONG: &str = "--arithmetic f64 --re -0.75 --im 0.0001 --zoom 3e8 --size 128x192 --iterations 100000 --backend cpu \
                        --strip-rows 4";

/// [`QUICK`] in 53 strips, for devices that wait over each.
pub const WAITED: &str = "--arithmetic f64 --re -0.7436 --im 0.1318 --zoom 300 --size 317x211 --iterations 3000 \
                          --strip-rows 4";

/// Ten times nearer to the gap's end: ten times the work a pixel, in four strips of seconds each, so that a
/// worker that is told to stop cannot finish what it has in hand.
pub const SLOWER: &str = "--arithmetic f64 --re -0.75 --im 0.000001 --zoom 3e11 --size 128x96 --iterations 10000000 \
                          --backend cpu --strip-rows 24";
