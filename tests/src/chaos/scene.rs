//! What a farm is to make while things go wrong.

use super::dice::Dice;

/// Pictures of 128 strips, some hundredths of a second each.
const SMALL: [&str; 3] = [
    "--arithmetic f64 --re -0.75 --im 0.00002 --zoom 1e9 --size 256x512 --iterations 350000 --backend cpu --strip-rows 4",
    "--arithmetic f64 --re -0.75 --im 0.00001 --zoom 3e9 --size 256x256 --iterations 320000 --backend cpu --strip-rows 2",
    "--arithmetic f64 --re -0.75 --im 0.00001 --zoom 3e9 --size 128x512 --iterations 800000 --backend cpu --strip-rows 4 \
     --measure smooth",
];
/// 16 strips of 3 MiB each, which packing leaves at more than two.
const LARGE: &str = "--arithmetic f64 --re -0.75 --im 0.002 --zoom 1e5 --size 2048x6144 --iterations 4000 --backend cpu \
                     --strip-rows 384 --measure smooth";
/// Every strip of 64 is computed by two.
const AUDITED: &str = "--arithmetic f64 --re -0.75 --im 0.00003 --zoom 8e8 --size 256x256 --iterations 250000 --backend cpu \
                       --strip-rows 4";
/// For several at once: 48 strips each.
const THIRDS: [&str; 3] = [
    "--arithmetic f64 --re -0.75 --im 0.00002 --zoom 1e9 --size 192x192 --iterations 350000 --backend cpu --strip-rows 4",
    "--arithmetic f64 --re -0.75 --im 0.00003 --zoom 7e8 --size 288x192 --iterations 250000 --backend cpu --strip-rows 4",
    "--arithmetic f64 --re -0.75 --im 0.00002 --zoom 2e9 --size 192x192 --iterations 360000 --backend cpu --strip-rows 4 \
     --measure smooth",
];

/// What a farm is to make, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Its name in tables.
    pub name: &'static str,
    /// The pictures, each by a submitter of its own, all at once.
    pub pictures: Vec<&'static str>,
    /// What the submitters are told besides, and what a picture in quiet needs not.
    pub options: &'static str,
    /// Whether one of the workers lies.
    pub faulty: bool,
    /// Whether the farm has a key.
    pub signed: bool,
}

impl Scene {
    /// That of a run with this seed. Seeds that follow one another have one of each kind.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let plain = |name, pictures| Self {
            name,
            pictures,
            options: "",
            faulty: false,
            signed: false,
        };
        match seed % 5 {
            0 => Self {
                signed: true,
                ..plain("signed", vec![dice.pick(&SMALL)])
            },
            1 => plain("small", vec![dice.pick(&SMALL)]),
            2 => plain("large", vec![LARGE]),
            3 => plain("several", THIRDS.to_vec()),
            _ => Self {
                options: "--audit 100",
                faulty: true,
                ..plain("audited", vec![AUDITED])
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn five_seeds_have_all_scenes() {
        for first in [0, 7, 1234] {
            let names: BTreeSet<_> = (first..first + 5)
                .map(|seed| Scene::drawn(seed).name)
                .collect();
            assert_eq!(names.len(), 5, "{names:?}");
        }
        assert_eq!(Scene::drawn(9), Scene::drawn(9));
    }
}
