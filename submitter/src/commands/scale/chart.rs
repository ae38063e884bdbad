//! The sweep as an SVG: elapsed time, speed-up, efficiency and overhead by number of workers, each with its ideal.
//!
//! Written by hand: four small line charts are less code here than the ties to a charting library would be, and
//! nothing of them depends on the machine's fonts.

use std::fmt::Write;

use super::figures::{Row, Sweep};

/// The whole chart, in pixels.
const SIZE: (f64, f64) = (960.0, 720.0);
/// Room for the heading above the four panels.
const HEADING: f64 = 72.0;
/// Room around the axes of a panel: left, right, above, below.
const AROUND: [f64; 4] = [64.0, 20.0, 36.0, 44.0];
/// Lines across a panel, about.
const TICKS: f64 = 5.0;
/// Numbers under a panel at most: more would touch.
const MOST_LABELS: usize = 16;
/// What was measured.
const MEASURED: &str = "#1f5aa0";
/// What shared cores.
const CROWDED: &str = "#be783c";
/// What would be ideal.
const IDEAL: &str = "#969696";
/// Points of an ideal's curve.
const CURVE: u32 = 48;

/// What a panel shows.
struct Panel<'a> {
    heading: &'a str,
    value: &'a dyn Fn(&Row) -> Option<f64>,
    /// The ideal for so many workers.
    ideal: &'a dyn Fn(f64) -> Option<f64>,
    /// Whether the least and the greatest of a row's runs are shown.
    has_spread: bool,
}

/// Draws it.
#[must_use]
pub fn svg(sweep: &Sweep) -> String {
    let (width, height) = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#282828\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    heading(&mut out, sweep);
    let base = sweep.rows.first().filter(|row| row.speedup.is_some());
    let base_secs = base.map(|row| f64::from(row.workers) * row.elapsed_secs);
    let panels = [
        Panel {
            heading: "Elapsed (s)",
            value: &|row| Some(row.elapsed_secs),
            ideal: &|workers| base_secs.map(|secs| secs / workers),
            has_spread: true,
        },
        Panel {
            heading: "Speed-up",
            value: &|row| row.speedup,
            ideal: &Some,
            has_spread: false,
        },
        Panel {
            heading: "Efficiency (%)",
            value: &|row| row.efficiency.map(|share| 100.0 * share),
            ideal: &|_| Some(100.0),
            has_spread: false,
        },
        Panel {
            heading: "Overhead (worker-seconds)",
            value: &|row| row.overhead_secs,
            ideal: &|_| Some(0.0),
            has_spread: false,
        },
    ];
    let size = (width / 2.0, (height - HEADING) / 2.0);
    for (at, panel) in panels.iter().enumerate() {
        let corner = ((at % 2) as f64 * size.0, HEADING + (at / 2) as f64 * size.1);
        panel.draw(&mut out, corner, size, &sweep.rows);
    }
    out.push_str("</svg>\n");
    out
}

fn heading(out: &mut String, sweep: &Sweep) {
    let what = format!(
        "{} x {}, {} iterations, by number of workers",
        sweep.width, sweep.height, sweep.iterations
    );
    text(
        out,
        (16.0, 28.0),
        "start",
        &format!("<tspan font-size=\"20\">{}</tspan>", escaped(&what)),
    );
    let how = format!(
        "Medians of {}; {} pictures with the same bytes; dashed: ideal{}",
        sweep.repeat,
        sweep.same_bytes,
        if sweep.rows.iter().all(|row| row.enough_cores) {
            ""
        } else {
            "; hollow: shared cores"
        }
    );
    text(out, (16.0, 48.0), "start", &escaped(&how));
    text(out, (16.0, 65.0), "start", &escaped(&sweep.processors));
}

impl Panel<'_> {
    /// Draws it into a rectangle.
    fn draw(&self, out: &mut String, corner: (f64, f64), size: (f64, f64), rows: &[Row]) {
        let axes = self.axes(corner, size, rows);
        let (left, right) = (axes.x(axes.first), axes.x(axes.last));
        text(
            out,
            (f64::midpoint(left, right), corner.1 + 22.0),
            "middle",
            &format!("<tspan font-size=\"15\">{}</tspan>", escaped(self.heading)),
        );
        axes.draw(out, rows);
        let workers = (0..=CURVE).map(|at| {
            let (first, last) = (axes.first_count, axes.last_count);
            first + (last - first) * f64::from(at) / f64::from(CURVE)
        });
        let ideal = workers.filter_map(|workers| Some((workers, (self.ideal)(workers)?)));
        axes.line(
            out,
            ideal,
            &format!("stroke=\"{IDEAL}\" stroke-dasharray=\"5 4\""),
        );
        let measured = rows
            .iter()
            .filter_map(|row| Some((row, (self.value)(row)?)));
        let points = measured
            .clone()
            .map(|(row, value)| (f64::from(row.workers), value));
        axes.line(
            out,
            points,
            &format!("stroke=\"{MEASURED}\" stroke-width=\"2\""),
        );
        for (row, value) in measured {
            let (x, y) = (axes.x(row.workers.into()), axes.y(value));
            let (colour, fill) = if row.enough_cores {
                (MEASURED, MEASURED)
            } else {
                (CROWDED, "#ffffff")
            };
            if self.has_spread {
                let (least, most) = row.spread();
                let _ = writeln!(
                    out,
                    "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"{colour}\"/>",
                    axes.y(least),
                    axes.y(most)
                );
            }
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"2\"><title>{} worker{}: {value:.4}</title></circle>",
                row.workers,
                if row.workers == 1 { "" } else { "s" }
            );
        }
    }

    /// Axes that show all that is drawn.
    fn axes(&self, corner: (f64, f64), size: (f64, f64), rows: &[Row]) -> Axes {
        let counts = rows.iter().map(|row| f64::from(row.workers));
        let first_count = counts.clone().fold(f64::INFINITY, f64::min);
        let last_count = counts.clone().fold(0.0, f64::max);
        let mut values: Vec<f64> = rows.iter().filter_map(self.value).collect();
        values.extend(counts.filter_map(self.ideal));
        if self.has_spread {
            values.extend(rows.iter().map(|row| row.spread().1));
        }
        let highest = values.iter().copied().fold(0.0, f64::max);
        let lowest = values.iter().copied().fold(0.0, f64::min);
        // Where all is 0 there is still an axis.
        let range = if highest - lowest > 0.0 {
            highest - lowest
        } else {
            1.0
        };
        let step = nice(range / TICKS);
        let margin = (0.05 * (last_count - first_count)).max(0.5);
        let [left, right, above, below] = AROUND;
        Axes {
            first: first_count - margin,
            last: last_count + margin,
            first_count,
            last_count,
            bottom: (lowest / step).floor() * step,
            top: ((lowest + range) / step).ceil() * step,
            step,
            rectangle: [
                corner.0 + left,
                corner.0 + size.0 - right,
                corner.1 + above,
                corner.1 + size.1 - below,
            ],
        }
    }
}

/// The two axes of a panel: numbers of workers, and values.
struct Axes {
    first: f64,
    last: f64,
    first_count: f64,
    last_count: f64,
    bottom: f64,
    top: f64,
    step: f64,
    /// Left, right, above, below.
    rectangle: [f64; 4],
}

impl Axes {
    fn x(&self, workers: f64) -> f64 {
        let [left, right, ..] = self.rectangle;
        left + (workers - self.first) / (self.last - self.first) * (right - left)
    }

    fn y(&self, value: f64) -> f64 {
        let [.., above, below] = self.rectangle;
        below - (value - self.bottom) / (self.top - self.bottom) * (below - above)
    }

    /// Lines at round values, and the numbers of workers.
    fn draw(&self, out: &mut String, rows: &[Row]) {
        let [left, right, _, below] = self.rectangle;
        let digits = (-self.step.log10().floor()).max(0.0) as usize;
        let lines = ((self.top - self.bottom) / self.step).round() as u32;
        for line in 0..=lines {
            let value = self.bottom + f64::from(line) * self.step;
            let y = self.y(value);
            let _ = writeln!(
                out,
                "<path d=\"M{left:.1} {y:.1}H{right:.1}\" stroke=\"#e1e1e1\"/>"
            );
            // Not "-0".
            let value = if value.abs() < self.step / 2.0 {
                0.0
            } else {
                value
            };
            text(
                out,
                (left - 8.0, y + 4.0),
                "end",
                &format!("{value:.digits$}"),
            );
        }
        let _ = writeln!(
            out,
            "<path d=\"M{left:.1} {below:.1}H{right:.1}\" stroke=\"#787878\"/>"
        );
        for row in rows.iter().step_by(rows.len().div_ceil(MOST_LABELS)) {
            let x = self.x(row.workers.into());
            text(out, (x, below + 18.0), "middle", &row.workers.to_string());
        }
        let middle = f64::midpoint(left, right);
        text(out, (middle, below + 36.0), "middle", "workers");
    }

    fn line(&self, out: &mut String, points: impl Iterator<Item = (f64, f64)>, stroke: &str) {
        let points: Vec<String> = points
            .map(|(workers, value)| format!("{:.1},{:.1}", self.x(workers), self.y(value)))
            .collect();
        if points.len() > 1 {
            let points = points.join(" ");
            let _ = writeln!(
                out,
                "<polyline points=\"{points}\" fill=\"none\" {stroke}/>"
            );
        }
    }
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, inside: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{inside}</text>"
    );
}

/// Text as it stands in XML: names of machines may hold anything.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// 1, 2 or 5 times a power of ten, not less than `step`.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= step * 0.999_999);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::{sweep, timed};
    use super::*;

    #[test]
    fn every_measured_figure_has_its_mark() {
        let circles = |sweep: &Sweep| svg(sweep).matches("<circle").count();
        let whole = sweep(&[
            timed(1, &[8.0, 9.0, 7.0], true),
            timed(2, &[4.0, 5.0, 6.0], true),
        ]);
        assert_eq!(circles(&whole), 2 * 4);
        assert!(!svg(&whole).contains("hollow"));
        let crowded = sweep(&[timed(1, &[8.0], true), timed(2, &[4.0], false)]);
        assert_eq!(circles(&crowded), 2 + 1 + 1 + 1);
        assert!(svg(&crowded).contains("hollow: shared cores"));
        // One row, and time that no clock saw pass.
        let lone = svg(&sweep(&[timed(1, &[0.0], true)]));
        assert!(!lone.contains("NaN") && !lone.contains("inf"), "{lone}");
    }

    #[test]
    fn machines_may_be_called_anything() {
        let mut sweep = sweep(&[timed(1, &[1.0], true)]);
        sweep.processors = "<a> & b".to_owned();
        let text = svg(&sweep);
        assert!(
            text.contains("&lt;a&gt; &amp; b") && !text.contains("<a>"),
            "{text}"
        );
    }

    #[test]
    fn steps_are_round() {
        for (step, round) in [
            (1.0, 1.0),
            (1.1, 2.0),
            (0.021, 0.05),
            (7.0, 10.0),
            (300.0, 500.0),
        ] {
            assert!(
                (nice(step) - round).abs() < 1e-9 * round,
                "{step}: {}",
                nice(step)
            );
        }
    }
}
