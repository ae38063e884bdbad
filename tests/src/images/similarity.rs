//! How alike two pictures are: structural similarity of their luma.
//!
//! Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli: Image quality assessment: from error visibility to structural
//! similarity (2004): means, variances and covariance under a Gaussian of 11 samples with a deviation of 1.5, constants
//! (0.01 L)² and (0.03 L)²; the mean over all places where the Gaussian fits.

use crate::images::pictures::Png;

/// Half the samples of the Gaussian.
const REACH: usize = 5;
const DEVIATION: f64 = 1.5;
const C1: f64 = 0.01 * 255.0 * 0.01 * 255.0;
const C2: f64 = 0.03 * 255.0 * 0.03 * 255.0;

/// A picture's luma (BT.709), as bytes have it.
fn luma(picture: &Png) -> Vec<f64> {
    let weigh = |pixel: &[u8; 3]| {
        let weights = [0.2126, 0.7152, 0.0722];
        pixel
            .iter()
            .zip(weights)
            .map(|(byte, weight)| f64::from(*byte) * weight)
            .sum()
    };
    picture.pixels.iter().map(weigh).collect()
}

/// Means under the Gaussian, where it fits.
fn blurred(values: &[f64], width: usize) -> Vec<f64> {
    let weight =
        |at: usize| (-(at as f64 - REACH as f64).powi(2) / (2.0 * DEVIATION * DEVIATION)).exp();
    let kernel: Vec<f64> = (0..=2 * REACH).map(weight).collect();
    let sum: f64 = kernel.iter().sum();
    let mean = |at: &dyn Fn(usize) -> f64| {
        kernel
            .iter()
            .enumerate()
            .map(|(tap, weight)| weight * at(tap))
            .sum::<f64>()
            / sum
    };
    let (height, narrow) = (values.len() / width, width - 2 * REACH);
    let mut rows = Vec::with_capacity(height * narrow);
    for row in values.chunks_exact(width) {
        rows.extend((0..narrow).map(|column| mean(&|tap| row[column + tap])));
    }
    let mut both = Vec::with_capacity((height - 2 * REACH) * narrow);
    for row in 0..height - 2 * REACH {
        both.extend((0..narrow).map(|column| mean(&|tap| rows[(row + tap) * narrow + column])));
    }
    both
}

/// Structural similarity: 1 for the same picture, about 0 for pictures that have nothing in common.
///
/// # Panics
/// When the pictures differ in size, or have fewer than 11 samples a side.
#[must_use]
pub fn ssim(one: &Png, other: &Png) -> f64 {
    assert_eq!((one.width, one.height), (other.width, other.height));
    let (a, b) = (luma(one), luma(other));
    let products =
        |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
    let blur = |values: &[f64]| blurred(values, one.width);
    let (mean_a, mean_b) = (blur(&a), blur(&b));
    let [aa, bb, ab] =
        [products(&a, &a), products(&b, &b), products(&a, &b)].map(|products| blur(&products));
    let at = |i: usize| {
        let (x, y) = (mean_a[i], mean_b[i]);
        let (vx, vy, covariance) = (aa[i] - x * x, bb[i] - y * y, ab[i] - x * y);
        (2.0 * x * y + C1) * (2.0 * covariance + C2) / ((x * x + y * y + C1) * (vx + vy + C2))
    };
    (0..mean_a.len()).map(at).sum::<f64>() / mean_a.len() as f64
}

/// Every square of `side` x `side` pixels as one, averaged as light is and not as bytes are.
///
/// # Panics
/// When the squares do not tile the picture.
#[must_use]
pub fn averaged(picture: &Png, side: usize) -> Png {
    assert!(picture.width.is_multiple_of(side) && picture.height.is_multiple_of(side));
    let light = |byte: u8| {
        let value = f64::from(byte) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let byte = |light: f64| {
        let value = if light <= 0.003_130_8 {
            light * 12.92
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        };
        (value * 255.0).round() as u8
    };
    let (width, height) = (picture.width / side, picture.height / side);
    let pixels = (0..width * height).map(|place| {
        let (row, column) = (place / width * side, place % width * side);
        let mut sums = [0.0; 3];
        for sample in 0..side * side {
            let (row, column) = (row + sample / side, column + sample % side);
            let pixel = picture.pixels[row * picture.width + column];
            for (sum, channel) in sums.iter_mut().zip(pixel) {
                *sum += light(channel);
            }
        }
        sums.map(|sum| byte(sum / (side * side) as f64))
    });
    Png {
        width,
        height,
        pixels: pixels.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(light: impl Fn(usize, usize) -> u8) -> Png {
        let pixels = (0..64 * 48)
            .map(|at| [light(at % 64, at / 64); 3])
            .collect();
        Png {
            width: 64,
            height: 48,
            pixels,
        }
    }

    #[test]
    fn the_same_is_1_and_what_differs_is_less() {
        let wave = |phase: f64| {
            picture(move |x, y| {
                (128.0 + 100.0 * (x as f64 * 0.3 + y as f64 * 0.2 + phase).sin()) as u8
            })
        };
        assert!((ssim(&wave(0.0), &wave(0.0)) - 1.0).abs() < 1e-12);
        let near = ssim(&wave(0.0), &wave(0.2));
        assert!(near > 0.9 && near < 0.999, "{near}");
        assert!(ssim(&wave(0.0), &wave(std::f64::consts::PI)) < 0.0);
        let noise = picture(|x, y| ((x * 7919) ^ (y * 104_729)) as u8);
        assert!(ssim(&wave(0.0), &noise) < 0.3);
    }

    #[test]
    fn averages_are_of_light() {
        let board = picture(|x, y| if (x + y) % 2 == 0 { 255 } else { 0 });
        assert!(
            averaged(&board, 2)
                .pixels
                .iter()
                .all(|pixel| *pixel == [188; 3])
        );
    }
}
