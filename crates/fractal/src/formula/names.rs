//! Names of formulas.

/// Each name, and its operations.
pub const NAMED: [(&str, &str); 16] = [
    ("mandelbrot", "sqr add"),
    ("multibrot-3", "pow3 add"),
    ("multibrot-4", "pow4 add"),
    ("multibrot-5", "pow5 add"),
    ("multibrot-6", "pow6 add"),
    ("multibrot-7", "pow7 add"),
    ("multibrot-8", "pow8 add"),
    ("multibrot-9", "pow9 add"),
    ("burning-ship", "absx absy sqr add"),
    ("tricorn", "negy sqr add"),
    ("celtic", "sqr absx add"),
    ("buffalo", "sqr absx absy add"),
    ("perpendicular-mandelbrot", "absx negy sqr add"),
    ("perpendicular-burning-ship", "absy negy sqr add"),
    ("perpendicular-celtic", "absx negy sqr absx add"),
    ("perpendicular-buffalo", "absy negy sqr absx add"),
];

/// The operations of a name.
#[must_use]
pub fn operations_of(name: &str) -> Option<&'static str> {
    (NAMED.iter()).find_map(|(known, operations)| (*known == name).then_some(*operations))
}
