//! Mathematics that is the same on every machine, where pictures' bytes are made.

use super::source::{Breach, Source};

/// Where pictures' bytes are made: the same on every machine, which the system's logarithms and the like are not.
const SAME_EVERYWHERE: [&str; 5] = [
    "crates/colour/src/",
    "crates/pictures/src/",
    "crates/render/src/picture.rs",
    "crates/render/src/prepare/samples.rs",
    "crates/engine/src/cpu/",
];
/// Functions that each system computes as it likes; `libm` has them with the same bits everywhere.
const SYSTEMS_OWN: [&str; 18] = [
    ".powf(",
    ".exp(",
    ".exp2(",
    ".exp_m1(",
    ".ln(",
    ".ln_1p(",
    ".log(",
    ".log2(",
    ".log10(",
    ".sin(",
    ".cos(",
    ".sin_cos(",
    ".tan(",
    ".atan(",
    ".atan2(",
    ".hypot(",
    ".cbrt(",
    ".tanh(",
];

/// Uses of the system's mathematics where bytes of pictures are made.
#[must_use]
pub fn systems_mathematics(sources: &[Source]) -> Vec<Breach> {
    let shipped = sources.iter().filter(|source| {
        source.is_shipped_rust()
            && (SAME_EVERYWHERE.iter()).any(|place| source.path.starts_with(place))
    });
    let lines = shipped.flat_map(|source| source.code().map(move |(at, line)| (source, at, line)));
    lines
        .filter(|(.., line)| SYSTEMS_OWN.iter().any(|name| line.contains(name)))
        .map(|(source, at, line)| {
            format!(
                "{}:{at}: use libm, which is the same everywhere: {line}",
                source.path
            )
        })
        .collect()
}
