//! Exact iteration counts of sampled pixels, from files under `data/oracle/`.
//!
//! They were made in fixed-point integers of 160 and more fractional bits, without shortcuts and with
//! nothing of this project. Near the boundary the last bits decide a count, so a few samples may differ;
//! none may be called inside that is not.

use std::path::Path;

use serde_json::Value;

use crate::images::pictures::Npy;

/// One view and its samples.
#[derive(Clone, Debug)]
pub struct Oracle {
    /// Its name.
    pub name: String,
    /// The view, as arguments of `submitter render`.
    pub args: String,
    /// What is iterated, where that is not z² + c, as `--formula` takes it.
    pub formula: Option<String>,
    width: usize,
    height: usize,
    /// Column, row, count.
    pub samples: Vec<(usize, usize, u32)>,
}

/// How a picture compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Samples.
    pub total: usize,
    /// Samples with another count.
    pub wrong: usize,
    /// Samples called inside that escape.
    pub falsely_inside: usize,
}

impl Comparison {
    /// Whether no more than `percent` of the samples differ and none is falsely inside.
    #[must_use]
    pub fn is_within(self, percent: f64) -> bool {
        self.total > 0
            && self.falsely_inside == 0
            && 100.0 * self.wrong as f64 <= percent * self.total as f64
    }
}

impl Oracle {
    /// Loads one by its name, of another formula from the folder `formulas`.
    ///
    /// # Panics
    /// When the file is not there or is not one of these.
    #[must_use]
    pub fn load(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/oracle");
        let text =
            std::fs::read_to_string(folder.join(name).with_extension("json")).expect("an oracle");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let text = |field: &str| file[field].as_str().expect(field).to_owned();
        let number = |field: &str| file[field].as_u64().expect(field);
        let (width, height) = (number("width"), number("height"));
        let at = |sample: &Value, which: usize| sample[which].as_u64().expect("a number");
        let samples = file["samples"].as_array().expect("samples").iter();
        Self {
            name: text("name"),
            args: format!(
                "--re {} --im {} --zoom {} --size {width}x{height} --iterations {} --escape-radius {}",
                text("re"),
                text("im"),
                text("zoom"),
                number("iterations"),
                number("escape_radius"),
            ),
            formula: file["formula"].as_str().map(str::to_owned),
            width: width as usize,
            height: height as usize,
            samples: samples
                .map(|s| (at(s, 0) as usize, at(s, 1) as usize, at(s, 2) as u32))
                .collect(),
        }
    }

    /// Compares a picture's counts with the samples.
    ///
    /// # Panics
    /// When the picture is of another size or does not hold counts.
    #[must_use]
    pub fn compare(&self, picture: &Npy) -> Comparison {
        assert_eq!(
            (picture.width, picture.height),
            (self.width, self.height),
            "{}",
            self.name
        );
        let counts = picture.u32s();
        let mut comparison = Comparison {
            total: self.samples.len(),
            wrong: 0,
            falsely_inside: 0,
        };
        for (col, row, count) in &self.samples {
            let got = counts[row * self.width + col];
            comparison.wrong += usize::from(got != *count);
            comparison.falsely_inside += usize::from(got == 0 && *count != 0);
        }
        comparison
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_knows_its_bounds() {
        let comparison = |total, wrong, falsely_inside| Comparison {
            total,
            wrong,
            falsely_inside,
        };
        assert!(comparison(100, 2, 0).is_within(2.0));
        assert!(!comparison(100, 3, 0).is_within(2.0));
        assert!(!comparison(100, 1, 1).is_within(2.0));
        assert!(
            !comparison(0, 0, 0).is_within(2.0),
            "nothing compared is no success"
        );
    }
}
