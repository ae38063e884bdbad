//! The sweep as an SVG: elapsed time, speed-up, efficiency and overhead by number of workers, each with its ideal.

use plotters::prelude::*;

use crate::scale::figures::{Row, Sweep};

/// The whole chart, in pixels.
const SIZE: (u32, u32) = (960, 720);
/// Room for the heading above the four panels.
const HEADING: i32 = 64;
/// What was measured.
const MEASURED: RGBColor = RGBColor(31, 90, 160);
/// What shares cores.
const CROWDED: RGBColor = RGBColor(190, 120, 60);
/// What would be ideal.
const IDEAL: RGBColor = RGBColor(150, 150, 150);
const TEXT: RGBColor = RGBColor(40, 40, 40);
const FONT: &str = "sans-serif";

/// A panel: a heading, the values by number of workers, what would be ideal, and the least and greatest of its runs.
struct Panel<'a> {
    heading: &'static str,
    value: &'a dyn Fn(&Row) -> Option<f64>,
    ideal: &'a dyn Fn(f64) -> Option<f64>,
    spread: Option<&'a dyn Fn(&Row) -> (f64, f64)>,
    /// What the axis shows at least.
    least_top: f64,
}

/// Draws it.
///
/// # Errors
/// When the library finds no room, which would be a fault of this module.
pub fn svg(sweep: &Sweep) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (top, panels) = root.split_vertically(HEADING);
        heading(&top, sweep)?;
        let base = sweep.rows.first().filter(|row| row.speedup.is_some());
        let base_secs = base.map(|row| f64::from(row.workers) * row.elapsed_secs);
        let panels = panels.split_evenly((2, 2));
        let drawn = [
            Panel {
                heading: "Elapsed (s)",
                value: &|row| Some(row.elapsed_secs),
                ideal: &|workers| base_secs.map(|secs| secs / workers),
                spread: Some(&Row::spread),
                least_top: 0.0,
            },
            Panel {
                heading: "Speed-up",
                value: &|row| row.speedup,
                ideal: &Some,
                spread: None,
                least_top: 1.0,
            },
            Panel {
                heading: "Efficiency (%)",
                value: &|row| row.efficiency.map(|share| 100.0 * share),
                ideal: &|_| Some(100.0),
                spread: None,
                least_top: 100.0,
            },
            Panel {
                heading: "Overhead (worker-seconds)",
                value: &|row| row.overhead_secs,
                ideal: &|_| Some(0.0),
                spread: None,
                least_top: 0.0,
            },
        ];
        for (area, panel) in panels.iter().zip(drawn) {
            panel.draw(area, &sweep.rows)?;
        }
        root.present()?;
    }
    Ok(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn heading(area: &Area<'_>, sweep: &Sweep) -> anyhow::Result<()> {
    let title = (FONT, 20).into_font().color(&TEXT);
    let words = (FONT, 13).into_font().color(&TEXT);
    let what = format!(
        "{} x {}, {} iterations, by number of workers",
        sweep.width, sweep.height, sweep.iterations
    );
    area.draw_text(&what, &title, (16, 12))?;
    let mut more = format!(
        "{}; medians of {}; {} pictures with the same bytes; dashed: ideal",
        sweep.processors, sweep.repeat, sweep.same_bytes
    );
    if sweep.rows.iter().any(|row| !row.enough_cores) {
        more.push_str("; hollow: shared cores");
    }
    area.draw_text(&more, &words, (16, 40))?;
    Ok(())
}

impl Panel<'_> {
    fn draw(&self, area: &Area<'_>, rows: &[Row]) -> anyhow::Result<()> {
        let counts: Vec<f64> = rows.iter().map(|row| f64::from(row.workers)).collect();
        let (first, last) = (counts[0], counts[counts.len() - 1]);
        let margin = (0.06 * (last - first)).max(0.5);
        let points: Vec<(f64, f64, &Row)> = (rows.iter().zip(&counts))
            .filter_map(|(row, workers)| Some((*workers, (self.value)(row)?, row)))
            .collect();
        let ideal: Vec<(f64, f64)> = steps(first, last)
            .filter_map(|workers| Some((workers, (self.ideal)(workers)?)))
            .collect();
        let spreads = points
            .iter()
            .filter_map(|(_, _, row)| Some(self.spread?(row).1));
        let values = points.iter().map(|point| point.1);
        let tops = values
            .clone()
            .chain(spreads)
            .chain(ideal.iter().map(|at| at.1));
        let top = tops.fold(self.least_top, f64::max).max(f64::MIN_POSITIVE);
        let bottom = values.fold(0.0, f64::min);
        let above = 0.08 * (top - bottom);
        let below = if bottom < 0.0 { above } else { 0.0 };
        let mut chart = ChartBuilder::on(area)
            .caption(self.heading, (FONT, 15).into_font().color(&TEXT))
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(52)
            .build_cartesian_2d(first - margin..last + margin, bottom - below..top + above)?;
        let label = (FONT, 12).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(225, 225, 225))
            .axis_style(RGBColor(120, 120, 120))
            .label_style(label)
            .x_labels(counts.len().clamp(2, 12))
            .x_label_formatter(&whole)
            .y_labels(6)
            .x_desc("workers")
            .draw()?;
        chart.draw_series(DashedLineSeries::new(ideal, 5, 4, IDEAL.stroke_width(1)))?;
        if let Some(spread) = self.spread {
            chart.draw_series(points.iter().map(|(workers, value, row)| {
                let (least, most) = spread(row);
                ErrorBar::new_vertical(*workers, least, *value, most, colour(row), 7)
            }))?;
        }
        let line = points.iter().map(|(workers, value, _)| (*workers, *value));
        chart.draw_series(LineSeries::new(line, MEASURED.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|(workers, value, row)| {
            let fill = if row.enough_cores { MEASURED } else { WHITE };
            Circle::new((*workers, *value), 5, fill.filled())
        }))?;
        chart.draw_series(points.iter().map(|(workers, value, row)| {
            Circle::new((*workers, *value), 5, colour(row).stroke_width(2))
        }))?;
        Ok(())
    }
}

/// A number of workers under the axis; nothing at a tick between two.
fn whole(workers: &f64) -> String {
    if workers.fract().abs() < 1e-9 {
        format!("{workers:.0}")
    } else {
        String::new()
    }
}

fn colour(row: &Row) -> RGBColor {
    if row.enough_cores { MEASURED } else { CROWDED }
}

/// From the fewest to the most workers, close enough for a curve.
fn steps(first: f64, last: f64) -> impl Iterator<Item = f64> {
    (0..=64).map(move |at| first + (last - first) * f64::from(at) / 64.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::figures::tests::{sweep, timed};

    #[test]
    fn every_measured_figure_has_its_mark() {
        let circles = |sweep: &Sweep| svg(sweep).unwrap().matches("<circle").count();
        let whole = sweep(&[
            timed(1, &[8.0, 9.0, 7.0], true),
            timed(2, &[4.0, 5.0, 6.0], true),
        ]);
        // Two rows in four panels, each a disc and its rim; error bars beside them in one.
        assert_eq!(circles(&whole), 2 * 4 * 2);
        let crowded = sweep(&[timed(1, &[8.0], true), timed(2, &[4.0], false)]);
        assert_eq!(circles(&crowded), 2 * (2 + 1 + 1 + 1));
        let text = svg(&crowded).unwrap();
        assert!(
            text.contains("hollow: shared cores") && text.starts_with("<svg"),
            "{text}"
        );
        assert!(!svg(&whole).unwrap().contains("hollow"));
        // One row, and time that no clock saw pass.
        let lone = sweep(&[timed(1, &[0.0], true)]);
        assert!(
            svg(&lone).unwrap().ends_with("</svg>\n"),
            "{}",
            svg(&lone).unwrap()
        );
    }
}
