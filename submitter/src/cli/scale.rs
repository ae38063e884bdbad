//! The command line of `submitter scale`, as typed.

use std::path::PathBuf;

use clap::Args;

use super::place::{AccessArgs, DeviceArgs, FormulaArgs, LogArgs, SayArgs};
use super::render::ViewArgs;
use super::values::{ArithmeticArg, CountsArg, GridArg, MeasureArg};
use super::world::NetworkArgs;

/// Most numbers of workers in one sweep.
const MOST_COUNTS: usize = 64;

/// Options of `scale`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Renders one picture with each number of workers, in turns, and compares elapsed times and bytes. A speed-up is told only where the workers that took part had processors of their own.\n\nExamples:\n  submitter scale --workers 1..4 --density 768 --iterations 200 -o scale.svg\n  submitter scale --world worlds/4-local.penvm --workers 1..4 -o scale.svg\n  submitter scale --redis rediss://farm.example --workers 1,2,4,8 --repeat 5 --json\n  submitter scale --workers 1..2 --grid linspace --measure stability -o scale.svg -o picture.npy",
    mut_arg("redis", |redis| redis.help("The farm's Redis: rediss://[USER:PASSWORD@]HOST[:PORT] (TLS), redis:// (plain text), unix:///PATH, or what Sentinels call NAME: rediss+sentinel://HOST[:PORT],HOST/NAME; without it, workers in process")),
    mut_arg("backend", |backend| backend.help("Which kinds of device may compute it")),
    mut_arg("json", |json| json.help("Print one JSON object on stdout instead of the table")),
    mut_arg("quiet", |quiet| quiet.help("Do not say which run is under way"))
)]
pub struct ScaleArgs {
    /// Where in the plane.
    #[command(flatten)]
    pub view: ViewArgs,
    /// What is iterated.
    #[command(flatten)]
    pub iterated: FormulaArgs,
    /// How many iterations before a pixel counts as inside [default: 1000, or the location's]
    #[arg(long, value_name = "N", value_parser = fractal::count::count)]
    pub iterations: Option<u64>,
    /// Start value of the iteration [default: 0 0]
    #[arg(long, num_args = 2, value_names = ["RE", "IM"], allow_hyphen_values = true)]
    pub z0: Option<Vec<f64>>,
    /// Layout of the samples
    #[arg(long, value_enum, default_value_t = GridArg::Pixels)]
    pub grid: GridArg,
    /// What the compared files hold where no -o says otherwise, and what .npy and .exr do
    #[arg(long, value_enum, default_value_t = MeasureArg::Smooth)]
    pub measure: MeasureArg,
    /// Numbers of workers: FIRST..LAST, both included, or a list with commas
    #[arg(long, value_name = "COUNTS", value_parser = counts, default_value = "1..4")]
    pub workers: Counts,
    /// How often each number is timed; medians count
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = |text: &str| fractal::count::within::<u16>(text, 1, 1000))]
    pub repeat: u16,
    /// Threads of each worker in process [default: this machine's cores, shared by the most workers]
    #[arg(long, value_name = "N", conflicts_with_all = ["redis", "world"], value_parser = |text: &str| fractal::count::within::<u16>(text, 1, 1024))]
    pub threads: Option<u16>,
    /// The chart (.svg) or the picture (.png, .jpg, .webp, .tiff, .avif, .npy, .exr); may be given several times
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// On a farm, or in process.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Or on a world's network.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// By what.
    #[command(flatten)]
    pub devices: DeviceArgs,
    /// Number type of the kernels
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ArithmeticArg::Auto)]
    pub arithmetic: ArithmeticArg,
    /// How counts are made [default: fast, or the location's]
    #[arg(long, value_enum, value_name = "HOW")]
    pub counts: Option<CountsArg>,
    /// Rows of a strip [default: so many that the most workers have sixteen strips each, if that is less than about a megabyte's worth]
    #[arg(long, value_name = "N", value_parser = |text: &str| fractal::count::within::<u32>(text, 1, u32::MAX))]
    pub strip_rows: Option<u32>,
    /// What is said.
    #[command(flatten)]
    pub say: SayArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Numbers of workers, ascending, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Vec<u16>);

impl Counts {
    /// All of them, at least one.
    #[must_use]
    pub fn all(&self) -> &[u16] {
        &self.0
    }

    /// The largest.
    #[must_use]
    pub fn most(&self) -> u16 {
        self.0.last().copied().unwrap_or(1)
    }
}

fn counts(text: &str) -> Result<Counts, String> {
    let wrong = || "numbers of workers are like 1..4 or 1,2,4,8, each from 1 to 1024".to_owned();
    let number = |text: &str| {
        let number = text.trim().parse().ok();
        number
            .filter(|count| (1..=1024).contains(count))
            .ok_or_else(wrong)
    };
    let mut counts = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(wrong());
                }
                counts.extend(first..=last);
            }
            None => counts.push(number(part)?),
        }
    }
    counts.sort_unstable();
    counts.dedup();
    if counts.len() > MOST_COUNTS {
        return Err(format!("more than {MOST_COUNTS} numbers of workers"));
    }
    Ok(Counts(counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_ranges_and_lists() {
        let all = |text| counts(text).map(|counts| counts.all().to_vec());
        assert_eq!(all("1..4"), Ok(vec![1, 2, 3, 4]));
        assert_eq!(all("8, 1,2..3,2"), Ok(vec![1, 2, 3, 8]));
        assert_eq!(all("5..5"), Ok(vec![5]));
        for wrong in [
            "", "0..2", "4..1", "1..", "..4", "1...4", "x", "1025", "1..1024",
        ] {
            assert!(all(wrong).is_err(), "{wrong}");
        }
        assert_eq!(counts("7,2").map(|counts| counts.most()), Ok(7));
    }
}
