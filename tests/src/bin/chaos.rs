//! `chaos`: farms on which something goes wrong every few seconds. `tests/chaos` builds and runs it.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use farm_tests::chaos::fault::Kind;
use farm_tests::chaos::{Settings, play_all, report, stage};

/// Breaks farms at random and compares their pictures with those of a quiet one.
#[derive(Debug, Parser)]
#[command(
    name = "chaos",
    after_help = "Exit status: 0 all pictures are right, no submitter failed where it should not, and nothing is left; 1 otherwise."
)]
struct Cli {
    /// Farms to break
    #[arg(long, value_name = "N", default_value_t = 20)]
    runs: u64,
    /// Seed of the first one; the others count up from it
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Farms at a time
    #[arg(long, value_name = "P", default_value_t = 10)]
    parallel: usize,
    /// Print one JSON object on stdout, and the table on stderr
    #[arg(long)]
    json: bool,
    /// Workers of each farm, of four, that only pretend to be slow machines; those of a farm with a key never do
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = up_to_all)]
    pretenders: usize,
    /// Seconds that those take for a strip
    #[arg(long, value_name = "SECS", default_value_t = 0.2)]
    strip_secs: f64,
    /// Let them lie instead, to see that a picture that differs is seen
    #[arg(long)]
    lie: bool,
    /// Seconds in which things go wrong, of one farm
    #[arg(long, value_name = "SECS", default_value_t = 40)]
    faults_for: u64,
    /// Seconds after which a farm that has not finished has failed
    #[arg(long, value_name = "SECS", default_value_t = 240)]
    limit: u64,
    /// Only these kinds of fault
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    only: Vec<Kind>,
    /// Not these kinds of fault
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    without: Vec<Kind>,
    /// Tell of each fault on stderr
    #[arg(long)]
    verbose: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let names = Kind::ALL.map(Kind::name).join(", ");
    Kind::parse(name).ok_or(format!("the kinds are {names}"))
}

fn up_to_all(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= stage::WORKERS);
    number.ok_or(format!("0 to {}", stage::WORKERS))
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut kinds = if cli.only.is_empty() {
        Kind::ALL.to_vec()
    } else {
        cli.only
    };
    kinds.retain(|kind| !cli.without.contains(kind));
    let settings = Settings {
        runs: cli.runs,
        seed: cli.seed,
        parallel: cli.parallel,
        pretenders: cli.pretenders,
        strip_secs: cli.strip_secs,
        lie: cli.lie,
        faults_for: Duration::from_secs(if kinds.is_empty() { 0 } else { cli.faults_for }),
        limit: Duration::from_secs(cli.limit),
        kinds,
        verbose: cli.verbose,
    };
    // What breaks is told with its seed when its farm has been cleared away.
    std::panic::set_hook(Box::new(|_| {}));
    let summary = play_all(&settings, |one| {
        let _ = writeln!(std::io::stderr(), "{}", report::describe_outcome(one));
    });
    let table = summary.table(&settings);
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    let _ = if cli.json {
        write!(stderr, "{table}").and_then(|()| writeln!(stdout, "{}", summary.json(&settings)))
    } else {
        write!(stdout, "{table}")
    };
    if summary.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
