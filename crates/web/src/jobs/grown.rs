//! A picture as it grows: what has come of it, in few samples, and who made which rows.

use std::collections::HashMap;

use colour::{Samples, Scheme};
use fractal::{FrameSpec, Measure, Plane};
use render::{Arrival, Picture};

use crate::limits::{GROWN_SIDE, MOST_MAKERS};

/// Nobody made this row.
const NOBODY: u8 = u8::MAX;

/// A picture of which some is there.
pub struct Grown {
    scheme: Scheme,
    /// The whole picture; of several that come at a time, as key frames do, one after another is shown.
    frame: Option<FrameSpec>,
    size: (u32, u32),
    measure: Measure,
    /// Row by row; 0 where nothing has come.
    values: Vec<f32>,
    /// Who made each row, by their place among `makers`.
    rows: Vec<u8>,
    makers: Vec<String>,
    known: HashMap<String, u8>,
    /// Rows of a strip.
    strip_rows: u32,
}

/// It at one moment.
pub struct Snapshot {
    /// Columns and rows.
    pub size: (u32, u32),
    /// Red, green, blue and how much of it is there, row by row.
    pub rgba: Vec<u8>,
    /// Who made each row, by their place among the makers; 255 where nothing has come.
    pub rows: Vec<u8>,
}

impl Grown {
    /// Nothing yet, in these colours.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        Self {
            scheme: Scheme {
                samples: Samples::ONE,
                light: None,
                dither: false,
                ..scheme
            },
            frame: None,
            size: (0, 0),
            measure: Measure::Smooth,
            values: Vec::new(),
            rows: Vec::new(),
            makers: Vec::new(),
            known: HashMap::new(),
            strip_rows: 0,
        }
    }

    /// Takes of a strip what is shown of it.
    pub fn take(&mut self, arrival: &Arrival<'_>) {
        let (frame, buffer) = (arrival.frame, arrival.buffer);
        match &self.frame {
            Some(known) if known == frame => {}
            Some(_) if !self.is_whole() => return,
            _ => self.lay_out(frame, buffer.strip.rows),
        }
        let (columns, rows) = self.size;
        let (width, height) = (frame.width, frame.height);
        let Some(values) = Plane::find(&buffer.planes, self.measure).and_then(Plane::values::<f32>)
        else {
            return;
        };
        let maker = self.maker(arrival.worker);
        let place = |at: u32, of: u32, all: u32| {
            let middle = (2 * u64::from(at) + 1) * u64::from(all) / (2 * u64::from(of));
            middle as u32
        };
        for row in 0..rows {
            let from = place(row, rows, height);
            let Some(within) = from.checked_sub(buffer.strip.row0) else {
                continue;
            };
            if within >= buffer.strip.rows {
                continue;
            }
            let line = within as usize * width as usize;
            let target = row as usize * columns as usize;
            for column in 0..columns {
                let value = values.get(line + place(column, columns, width) as usize);
                self.values[target + column as usize] = value.copied().unwrap_or(0.0);
            }
            self.rows[row as usize] = maker;
        }
    }

    fn lay_out(&mut self, frame: &FrameSpec, strip_rows: u32) {
        let whole = (frame.width, frame.height);
        let longer = whole.0.max(whole.1).max(1);
        let side = |all: u32| {
            let side = u64::from(all) * u64::from(GROWN_SIDE.min(longer)) / u64::from(longer);
            (side as u32).max(1)
        };
        self.frame = Some(frame.clone());
        self.size = (side(whole.0), side(whole.1));
        self.measure = self.scheme.measure();
        self.values = vec![0.0; self.size.0 as usize * self.size.1 as usize];
        self.rows = vec![NOBODY; self.size.1 as usize];
        self.strip_rows = strip_rows;
    }

    fn maker(&mut self, worker: &str) -> u8 {
        if let Some(known) = self.known.get(worker) {
            return *known;
        }
        // Of more than can be told apart the last stands for the rest.
        let number = self.makers.len().min(MOST_MAKERS - 1);
        if number == self.makers.len() {
            self.makers.push(worker.to_owned());
            self.known.insert(worker.to_owned(), number as u8);
        }
        number as u8
    }

    /// Who made rows of it.
    #[must_use]
    pub fn makers(&self) -> &[String] {
        &self.makers
    }

    /// Rows of a strip, and of the whole picture.
    #[must_use]
    pub fn rows(&self) -> (u32, u32) {
        (
            self.strip_rows,
            self.frame.as_ref().map_or(0, |frame| frame.height),
        )
    }

    /// Whether all of it is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.rows.is_empty() && !self.rows.contains(&NOBODY)
    }

    fn paint(&self) -> Option<Vec<u8>> {
        let plane = Plane::new(self.measure, self.values.clone());
        let picture = Picture::of(self.size, vec![plane]).ok()?;
        let eight = Scheme {
            depth: colour::Depth::Eight,
            ..self.scheme.clone()
        };
        picture.paint(&eight, None).ok()
    }

    /// How it looks; `None` where nothing has come, or nothing that it can be painted from.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        let rgb = self.paint()?;
        let columns = self.size.0 as usize;
        let mut rgba = Vec::with_capacity(rgb.len() / 3 * 4);
        for (pixel, colour) in rgb.chunks_exact(3).enumerate() {
            rgba.extend_from_slice(colour);
            let is_there = self.rows[pixel / columns] != NOBODY;
            rgba.push(if is_there { 255 } else { 0 });
        }
        Some(Snapshot {
            size: self.size,
            rgba,
            rows: self.rows.clone(),
        })
    }

    /// A small picture of it, PNG, once all of it is there.
    #[must_use]
    pub fn thumbnail(&self, side: u32) -> Option<Vec<u8>> {
        let rgb = self.is_whole().then(|| self.paint())??;
        let (columns, rows) = self.size;
        let longer = columns.max(rows);
        let small = |all: u32| (all * side.min(longer) / longer).max(1);
        let size = (small(columns), small(rows));
        let mut out = Vec::new();
        for row in 0..size.1 {
            for column in 0..size.0 {
                let at = (row * rows / size.1) * columns + column * columns / size.0;
                out.extend_from_slice(&rgb[3 * at as usize..][..3]);
            }
        }
        pictures::png::write::encode(
            size,
            colour::Depth::Eight,
            &out,
            pictures::Compression::Balanced,
        )
        .ok()
    }
}
