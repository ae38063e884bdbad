//! A dozen figures, each kept for an hour.

use std::collections::VecDeque;

use serde::Serialize;
use utoipa::ToSchema;

/// Seconds between two points.
pub const EVERY_SECS: u64 = 10;
/// Points of an hour.
const MOST_POINTS: usize = (3600 / EVERY_SECS) as usize;

/// A figure: its name, and what it is for people.
const FIGURES: [(&str, &str); FIGURE_COUNT] = [
    ("workers", "Workers"),
    ("quarantined", "Workers in quarantine"),
    ("farm_jobs", "Jobs on the farm"),
    ("strips_per_second", "Strips a second"),
    ("megapixels_per_second", "Megapixels a second"),
    ("busy", "Devices that compute, on average"),
    ("failures_per_second", "Failed strips a second"),
    ("dead", "Strips that were given up"),
    ("queued", "Jobs that wait here"),
    ("running", "Jobs under way here"),
    ("tiles_per_second", "Views a second"),
    ("free_gigabytes", "Free on the disk, GB"),
];

/// How many there are.
pub const FIGURE_COUNT: usize = 12;

/// All figures at one moment, in the order of their names; what is not known is none.
pub type Point = [Option<f64>; FIGURE_COUNT];

/// Figures over time.
#[derive(Default)]
pub struct Series {
    points: VecDeque<Point>,
}

/// A figure over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figure {
    /// Its name.
    name: &'static str,
    /// What it is.
    title: &'static str,
    /// Its values, the oldest first; none where it was not known, as of a farm that did not answer.
    points: Vec<Option<f64>>,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresAnswer {
    /// Seconds between two points.
    every_seconds: u64,
    figures: Vec<Figure>,
}

impl Series {
    /// Adds the figures of one moment; those of more than an hour ago go.
    pub fn add(&mut self, point: Point) {
        if self.points.len() >= MOST_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// The latest.
    #[must_use]
    pub fn latest(&self) -> Option<&Point> {
        self.points.back()
    }

    /// All of them, by figure.
    #[must_use]
    pub fn answer(&self) -> FiguresAnswer {
        let figure = |(at, (name, title)): (usize, &(&'static str, &'static str))| Figure {
            name,
            title,
            points: self.points.iter().map(|point| point[at]).collect(),
        };
        FiguresAnswer {
            every_seconds: EVERY_SECS,
            figures: FIGURES.iter().enumerate().map(figure).collect(),
        }
    }

    /// Names with what they are and the latest value of each that is known.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, &'static str, f64)> {
        let latest = self.latest().copied().unwrap_or_default();
        let figures = FIGURES.iter().zip(latest);
        figures.filter_map(|((name, title), value)| Some((*name, *title, value?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept() {
        let mut series = Series::default();
        for number in 0..MOST_POINTS + 5 {
            let mut point = Point::default();
            point[0] = Some(number as f64);
            series.add(point);
        }
        let answer = series.answer();
        assert_eq!(answer.figures.len(), FIGURE_COUNT);
        let first = &answer.figures[0];
        assert_eq!(first.points.len(), MOST_POINTS);
        assert_eq!(first.points[0], Some(5.0));
        assert_eq!(answer.figures[1].points[0], None);
        assert_eq!(series.known().count(), 1);
    }
}
