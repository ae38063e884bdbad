//! The table against the scripts: random steps on both, on a real server, and the same answers wanted.
//!
//! No time passes here: a lease runs out when a step says so, on the server by XCLAIM with an idle time.

mod both;
mod dice;
mod replies;

use crate::setup::server::Server;
use both::Both;
use dice::Dice;

const SEQUENCES: u64 = 300;
const STEPS: usize = 80;

#[test]
fn the_table_answers_as_the_scripts_do() {
    let server = Server::start();
    let mut handed_out = 0;
    for seed in 1..=SEQUENCES {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut both = Both::new(server.connect());
        both.create();
        for step in 0..STEPS {
            // Shown when an assertion fails: the sequence that did it.
            let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                both.step(&mut dice);
                if step % 5 == 4 {
                    both.compare();
                }
            }));
            if let Err(panic) = told {
                eprintln!("sequence {seed}, step {step}: {:?}", both.table);
                std::panic::resume_unwind(panic);
            }
        }
        handed_out += both.history.len();
        both.finish();
    }
    // The sequences do get somewhere.
    assert!(handed_out > 5 * SEQUENCES as usize, "{handed_out}");
}
