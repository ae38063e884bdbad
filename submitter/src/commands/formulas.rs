//! `submitter formulas`.

use std::path::Path;

use colour::Depth;
use disk::write_whole;
use fractal::formula::names::NAMED;
use fractal::{Decimal, Formula, Measure};
use pictures::Compression;
use pictures::png::write::encode;
use render::Picture;
use requests::perform::tile::tile;
use requests::plan::{colours, home};
use requests::{ColourRequest, FormulaRequest, PictureRequest, Size, ViewRequest};
use serde::Serialize;

use crate::cli::render::FormulasArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::{write_json, write_stdout};

/// Columns of a picture in a terminal, and twice its lines.
const CELLS: u32 = 24;
/// Pixels along each side of a picture of the gallery, and pictures beside each other in it.
const SIDE: u32 = 240;
const ACROSS: usize = 4;
/// Iterations of the pictures.
const ITERATIONS: u64 = 300;

/// A formula, for programs.
#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    operations: &'static str,
    degree: u32,
    /// Of its home view: smallest and largest real part, smallest and largest imaginary part.
    bounds: [Decimal; 4],
}

/// Lists the formulas that have a name.
pub async fn run(args: FormulasArgs, context: &Context) -> Result<(), Failure> {
    if let Some(path) = &args.output {
        return write_gallery(path, context).await;
    }
    let entries = NAMED.map(|(name, operations)| {
        let formula = formula(operations);
        Entry {
            name,
            operations,
            degree: formula.degree(),
            bounds: home::bounds(&formula, None),
        }
    });
    if args.json {
        return write_json(&entries);
    }
    let mut text = String::new();
    for entry in &entries {
        let picture = picture(entry.operations, CELLS, context).await?;
        let words = [
            entry.name.to_owned(),
            entry.operations.to_owned(),
            format!("degree {}", entry.degree),
        ];
        text += &beside(&half_blocks(&picture), &words);
    }
    write_stdout(text.as_bytes())
}

/// A formula that has a name.
fn formula(operations: &str) -> Formula {
    (operations.parse()).unwrap_or_else(|_| unreachable!("what has a name is a formula"))
}

/// A square picture of a home view.
async fn picture(operations: &str, side: u32, context: &Context) -> Result<Picture, Failure> {
    let formula = formula(operations);
    let [left, right, bottom, top] = home::bounds(&formula, None);
    let extent = |low: &Decimal, high: &Decimal| high.minus(low).to_f64();
    let longer = extent(&left, &right).max(extent(&bottom, &top));
    let zoom = format!("{}", 4.0 / longer);
    let request = PictureRequest {
        view: ViewRequest {
            re: Some(left.middle(&right)),
            im: Some(bottom.middle(&top)),
            zoom: zoom.parse().ok(),
            size: Some(Size {
                width: side,
                height: side,
            }),
            ..ViewRequest::default()
        },
        iterated: FormulaRequest {
            formula: Some(formula),
            julia: None,
        },
        iterations: Some(ITERATIONS),
        ..PictureRequest::default()
    };
    Ok(tile(request, &context.stop).await?)
}

/// A picture in characters of two pixels each, one above the other: what is inside is filled.
fn half_blocks(picture: &Picture) -> Vec<String> {
    let (width, _) = picture.size();
    let values = picture.values(Measure::Smooth).unwrap_or_default();
    let rows: Vec<&[f32]> = values.chunks(width as usize).collect();
    let line = |pair: &[&[f32]]| {
        let is_inside = |row: usize, at: usize| pair.get(row).is_some_and(|row| row[at] == 0.0);
        let cells = (0..width as usize).map(|at| match (is_inside(0, at), is_inside(1, at)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
        cells.collect()
    };
    rows.chunks(2).map(line).collect()
}

/// A picture's lines with words behind them.
fn beside(picture: &[String], words: &[String]) -> String {
    let above = picture.len().saturating_sub(words.len()) / 2;
    let mut text = String::new();
    for (at, line) in picture.iter().enumerate() {
        let words = at.checked_sub(above).and_then(|at| words.get(at));
        let line = format!("{line}  {}", words.map_or("", String::as_str));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Writes one picture with all of them, in their order.
async fn write_gallery(path: &Path, context: &Context) -> Result<(), Failure> {
    let is_png = (path.extension()).is_some_and(|kind| kind.eq_ignore_ascii_case("png"));
    if !is_png {
        return Err(Failure::usage(format!(
            "-o {}: the gallery is a .png",
            path.display()
        )));
    }
    let (side, row_bytes) = (SIDE as usize, SIDE as usize * 3 * ACROSS);
    let rows = NAMED.len().div_ceil(ACROSS);
    let mut pixels = vec![0; row_bytes * side * rows];
    let scheme = colours::scheme(&ColourRequest::default(), None, colour::Scheme::default());
    let scheme = scheme.map_err(|error| Failure::failed(error.to_string()))?;
    for (at, (_, operations)) in NAMED.iter().enumerate() {
        let picture = picture(operations, SIDE, context).await?;
        let painted = picture.paint(&scheme, None).map_err(Failure::failed)?;
        let first = at / ACROSS * side * row_bytes + at % ACROSS * side * 3;
        for (row, line) in painted.chunks_exact(side * 3).enumerate() {
            pixels[first + row * row_bytes..][..side * 3].copy_from_slice(line);
        }
    }
    let size = (SIDE * ACROSS as u32, SIDE * rows as u32);
    let png = encode(size, Depth::Eight, &pixels, Compression::Balanced);
    write_whole(path, &png.map_err(Failure::failed)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use fractal::Plane;

    use super::*;

    #[test]
    fn two_rows_are_a_line_of_characters() {
        let values = vec![
            0.0f32, 0.0, 5.0, 5.0, 0.0, 5.0, 0.0, 5.0, 0.0, 1.0, 0.0, 2.0,
        ];
        let picture = Picture::of((4, 3), vec![Plane::new(Measure::Smooth, values)]).unwrap();
        let lines = half_blocks(&picture);
        assert_eq!(lines, ["█▀▄ ", "▀ ▀ "]);
        let words = ["a".to_owned()];
        assert_eq!(beside(&lines, &words), "█▀▄   a\n▀ ▀\n");
    }
}
