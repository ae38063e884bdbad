//! Frames from key frames.
//!
//! A frame between key frames k and k + 1 shows the outer one, k, enlarged by up to two, and within it the inner one,
//! k + 1, which is finer by two and by now less than twice as large as the frame. Towards its rim the inner one fades
//! into the outer one; the fading band narrows to nothing as the rim leaves the frame, so that a frame at key frame
//! k + 1 is nothing but that, whether it is taken for the inner one or for the outer one: nothing jumps there.
//!
//! The middle of an inner key frame is in turn the one after it, at half its size: four samples a pixel instead of one.

use std::ops::Range;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::encode::Encoding;
use super::paint::{self, Values};
use super::resample::{self, CHANNELS, Picture, Sample, Scaled, between};
use colour::Painter;

/// Width of the band in which an inner key frame fades, as a share of half its size, when it is new.
const BAND: f64 = 0.06;
/// Rows that one thread takes at a time.
const ROWS: usize = 8;

/// What all frames of a sequence have in common.
#[derive(Debug)]
pub struct Composer {
    /// Columns and rows of a frame.
    size: (usize, usize),
    /// Columns and rows of the part of the plane, upright, that holds the frame however it is turned.
    upright: (usize, usize),
    /// Samples of a key frame to a pixel of a frame at its own zoom.
    ratio: f64,
    encoding: Encoding,
    pool: ThreadPool,
    upright_light: Vec<[f32; CHANNELS]>,
}

/// A column of a sequence's weights: how much of a pixel is the inner key frame's.
fn ramp(at: usize, len: usize, extent: f64, band: f64) -> f32 {
    let from_middle = (at as f64 + 0.5 - len as f64 / 2.0).abs() / (len as f64 / 2.0);
    let inside = (1.0 - from_middle / extent) / band.max(f64::MIN_POSITIVE);
    let x = inside.clamp(0.0, 1.0);
    (x * x * (3.0 - 2.0 * x)) as f32
}

/// The weights of an inner key frame along both sides.
struct Fade {
    columns: Vec<f32>,
    rows: Vec<f32>,
    /// Columns that it reaches at all.
    reached: Range<usize>,
    /// Columns that it alone fills, where the row lets it.
    filled: Range<usize>,
}

impl Fade {
    /// `extent`: half the inner key frame's size over that of the frame, 1/2 to 1.
    fn new((width, height): (usize, usize), extent: f64) -> Self {
        let band = BAND * 2.0 * (1.0 - extent);
        let side = |len| (0..len).map(|at| ramp(at, len, extent, band)).collect();
        let columns: Vec<f32> = side(width);
        let range = |within: &dyn Fn(f32) -> bool| {
            let first = columns.iter().position(|weight| within(*weight));
            let last = columns.iter().rposition(|weight| within(*weight));
            first
                .zip(last)
                .map_or(0..0, |(first, last)| first..last + 1)
        };
        Self {
            reached: range(&|weight| weight > 0.0),
            filled: range(&|weight| weight >= 1.0),
            rows: side(height),
            columns,
        }
    }
}

/// Room that a thread works in.
#[derive(Default)]
struct Room {
    scaling: resample::Room,
    inner: Vec<[f32; CHANNELS]>,
}

/// One row: the outer picture, with the inner one faded in.
fn row<S: Sample>(
    at: usize,
    outer: &Scaled<'_, S>,
    inner: Option<&(Scaled<'_, S>, Fade)>,
    room: &mut Room,
    out: &mut [[f32; CHANNELS]],
) {
    let width = out.len();
    let inner = inner.filter(|(_, fade)| fade.rows[at] > 0.0 && !fade.reached.is_empty());
    let Some((inner, fade)) = inner else {
        outer.row(at, 0..width, &mut room.scaling, out);
        return;
    };
    let down = fade.rows[at];
    if down < 1.0 || fade.filled.is_empty() {
        outer.row(at, 0..width, &mut room.scaling, out);
    } else {
        let Range { start, end } = fade.filled;
        outer.row(at, 0..start, &mut room.scaling, &mut out[..start]);
        outer.row(at, end..width, &mut room.scaling, &mut out[end..]);
    }
    room.inner.resize(width, [0.0; CHANNELS]);
    let reached = fade.reached.clone();
    inner.row(at, reached.clone(), &mut room.scaling, &mut room.inner);
    for (column, inner) in reached.zip(&room.inner) {
        let weight = fade.columns[column].min(down);
        let pixel = &mut out[column];
        if weight >= 1.0 {
            *pixel = *inner;
        } else {
            for (light, inner) in pixel.iter_mut().zip(inner) {
                *light += (inner - *light) * weight;
            }
        }
    }
}

impl Composer {
    /// For frames of `size` within `upright` columns and rows, from key frames of `ratio` samples a pixel, written in
    /// `encoding`, on `threads` threads.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn new(
        size: (u32, u32),
        upright: (u32, u32),
        ratio: f64,
        encoding: Encoding,
        threads: usize,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let sides = |(width, height): (u32, u32)| (width as usize, height as usize);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("compose-{number}"))
            .build()?;
        Ok(Self {
            size: sides(size),
            upright: sides(upright),
            ratio,
            encoding,
            pool,
            upright_light: Vec::new(),
        })
    }

    /// Paints the values of a key frame as they are seen `octaves` past its own zoom (before it where that is less than 0):
    /// what its colours know of pixels, they know of the frame's.
    pub fn painted<S: Sample>(
        &self,
        values: &Values,
        painter: &Painter,
        octaves: f64,
        out: &mut Picture<S>,
    ) {
        let pixels = libm::exp2(octaves) / self.ratio;
        out.fit(values.width, values.height);
        let lines = out.light.par_chunks_mut(values.width * CHANNELS);
        self.pool.install(|| {
            lines.enumerate().for_each_init(
                || paint::Room::new(values.width),
                |room, (row, light)| values.paint_row(row, painter, pixels as f32, room, light),
            );
        });
    }

    /// Puts `next`, the key frame after `inner`, in the middle of that.
    pub fn refine<S: Sample>(&self, inner: &mut Picture<S>, next: &Picture<S>) {
        // A key frame at its own scale has more than it shows: that margin stays as it is.
        let shown = |len: usize| len / 4 * 2;
        let (width, height) = (shown(inner.width), shown(inner.height));
        let (left, top) = ((inner.width - width) / 2, (inner.height - height) / 2);
        let scaled = Scaled::new(next, (width, height), 2.0);
        let fade = Fade {
            columns: (0..width).map(|at| ramp(at, width, 1.0, BAND)).collect(),
            rows: (0..height).map(|at| ramp(at, height, 1.0, BAND)).collect(),
            reached: 0..width,
            filled: 0..0,
        };
        let line = inner.width * CHANNELS;
        let rows = inner.light[top * line..(top + height) * line].par_chunks_mut(line);
        self.pool.install(|| {
            rows.enumerate()
                .for_each_init(Room::default, |room, (at, light)| {
                    room.inner.resize(width, [0.0; CHANNELS]);
                    scaled.row(at, 0..width, &mut room.scaling, &mut room.inner);
                    let pixels = light[left * CHANNELS..].chunks_exact_mut(CHANNELS);
                    for ((pixel, next), across) in pixels.zip(&room.inner).zip(&fade.columns) {
                        let weight = across.min(fade.rows[at]);
                        for (light, next) in pixel.iter_mut().zip(next) {
                            let own = light.light();
                            *light = S::of(own + (next - own) * weight);
                        }
                    }
                });
        });
    }

    /// Frame `number`, `beyond` octaves (0 to 1) past the zoom of `outer`, turned by `degrees` anticlockwise, as bytes of
    /// red, green and blue.
    pub fn frame<S: Sample>(
        &mut self,
        (outer, inner): (&Picture<S>, Option<&Picture<S>>),
        beyond: f64,
        degrees: f64,
        number: u32,
        out: &mut Vec<u8>,
    ) {
        let upright = self.upright;
        let ratio = self.ratio * libm::exp2(-beyond);
        let outer = Scaled::new(outer, upright, ratio);
        let inner = inner.map(|inner| {
            let fade = Fade::new(upright, libm::exp2(beyond - 1.0));
            (Scaled::new(inner, upright, 2.0 * ratio), fade)
        });
        let (pool, encoding) = (&self.pool, &self.encoding);
        self.upright_light
            .resize(upright.0 * upright.1, [0.0; CHANNELS]);
        let pixels = &mut self.upright_light;
        pool.install(|| {
            let bands = pixels.par_chunks_mut(upright.0 * ROWS).enumerate();
            bands.for_each_init(Room::default, |room, (band, pixels)| {
                for (line, out) in pixels.chunks_mut(upright.0).enumerate() {
                    row(band * ROWS + line, &outer, inner.as_ref(), room, out);
                }
            });
            let (width, height) = self.size;
            let line_bytes = width * encoding.pixel_bytes();
            out.resize(height * line_bytes, 0);
            let lines = out.par_chunks_mut(line_bytes).enumerate();
            let is_upright = degrees == 0.0 && self.size == upright;
            let turn = Turn::new(degrees, self.size, upright);
            lines.for_each_init(Vec::new, |turned, (line, bytes)| {
                let own = if is_upright {
                    &pixels[line * width..][..width]
                } else {
                    let places = (0..width).map(|column| turn.place(line, column));
                    turned.clear();
                    turned.extend(places.map(|place| between(pixels, upright.0, place)));
                    &turned[..]
                };
                encoding.row(number, line as u32, own.as_flattened(), bytes);
            });
        });
    }
}

/// Where the pixels of a turned frame are in the upright one.
struct Turn {
    sin: f64,
    cos: f64,
    middle: (f64, f64),
    upright: (f64, f64),
}

impl Turn {
    fn new(degrees: f64, size: (usize, usize), upright: (usize, usize)) -> Self {
        let (sin, cos) = libm::sincos(degrees.to_radians());
        let half = |(width, height): (usize, usize)| (width as f64 / 2.0, height as f64 / 2.0);
        Self {
            sin,
            cos,
            middle: half(size),
            upright: half(upright),
        }
    }

    fn place(&self, line: usize, column: usize) -> (f64, f64) {
        let x = column as f64 + 0.5 - self.middle.0;
        let y = line as f64 + 0.5 - self.middle.1;
        // Rows count downwards.
        (
            x * self.cos - y * self.sin + self.upright.0 - 0.5,
            x * self.sin + y * self.cos + self.upright.1 - 0.5,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode::Light;
    use super::*;

    /// A smooth picture of the plane at zoom 2^k: what every key frame is a view of.
    fn key(k: i32, width: usize, height: usize, ratio: f64) -> Picture<u16> {
        let unit = libm::exp2(-f64::from(k)) / ratio;
        let light = |at: usize| {
            let x = ((at % width) as f64 + 0.5 - width as f64 / 2.0) * unit;
            let y = ((at / width) as f64 + 0.5 - height as f64 / 2.0) * unit;
            [plane(x, y, 0.0), plane(x, y, 1.0), plane(x, y, 2.0)].map(|light| light as u16)
        };
        Picture {
            width,
            height,
            light: (0..width * height).flat_map(light).collect(),
        }
    }

    fn plane(x: f64, y: f64, phase: f64) -> f64 {
        30_000.0 + 20_000.0 * libm::sin(x * 0.11 + phase) * libm::cos(y * 0.13 - phase)
    }

    fn composer() -> Composer {
        let encoding = Encoding::Eight(Light::get());
        Composer::new((64, 36), (64, 36), 1.25, encoding, 2).unwrap()
    }

    fn frame(composer: &mut Composer, beyond: f64, from: i32) -> Vec<u8> {
        let [outer, inner] = [0, 1].map(|k| key(from + k, 84, 48, 1.25));
        let mut rgb = Vec::new();
        composer.frame((&outer, Some(&inner)), beyond, 0.0, 0, &mut rgb);
        rgb
    }

    fn apart(a: &[u8], b: &[u8]) -> u8 {
        a.iter()
            .zip(b)
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn frames_show_the_plane_where_it_is_at_any_zoom() {
        let mut composer = composer();
        for beyond in [0.0, 0.3, 0.7, 1.0] {
            let rgb = frame(&mut composer, beyond, 0);
            let unit = libm::exp2(-beyond);
            let byte = |light: f32| {
                let mut byte = [0];
                Light::get().bytes(&[light], &mut byte);
                byte[0]
            };
            for (at, pixel) in rgb.chunks(3).enumerate() {
                let x = ((at % 64) as f64 - 31.5) * unit;
                let y = ((at / 64) as f64 - 17.5) * unit;
                let expected = [0.0, 1.0, 2.0].map(|phase| byte(plane(x, y, phase) as f32));
                assert!(
                    apart(pixel, &expected) <= 2,
                    "{beyond} {at}: {pixel:?} {expected:?}"
                );
            }
        }
        // Control: another zoom is another picture.
        assert!(
            apart(
                &frame(&mut composer, 0.3, 0),
                &frame(&mut composer, 0.35, 0)
            ) > 4
        );
    }

    #[test]
    fn a_key_frame_is_the_same_from_either_side() {
        let mut composer = composer();
        let before = frame(&mut composer, 1.0, 0);
        let after = frame(&mut composer, 0.0, 1);
        assert!(apart(&before, &after) <= 1);
    }

    #[test]
    fn a_turn_by_a_right_angle_takes_every_pixel_along() {
        let picture = key(0, 50, 50, 1.0);
        let encoding = Encoding::Eight(Light::get());
        let mut composer = Composer::new((40, 40), (44, 44), 1.0, encoding, 1).unwrap();
        let (mut upright, mut turned) = (Vec::new(), Vec::new());
        composer.frame((&picture, None), 0.0, 0.0, 0, &mut upright);
        composer.frame((&picture, None), 0.0, 90.0, 0, &mut turned);
        // Anticlockwise: what was at the right is at the top.
        for row in 0..40 {
            for column in 0..40 {
                let there = (column * 40 + (39 - row)) * 3;
                let here = (row * 40 + column) * 3;
                assert!(apart(&turned[here..here + 3], &upright[there..there + 3]) <= 1);
            }
        }
    }

    #[test]
    fn a_refined_key_frame_is_the_same_picture() {
        let composer = composer();
        let (inner, next) = (key(1, 84, 48, 1.25), key(2, 84, 48, 1.25));
        let mut refined = inner.clone();
        composer.refine(&mut refined, &next);
        let far = refined
            .light
            .iter()
            .zip(&inner.light)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(far.unwrap() < 200, "{far:?}");
        assert_ne!(refined.light, inner.light);
    }
}
