//! Renders a request that is written as JSON into a file, and says how far it is: `file '{"zoom": "2000", ...}' OUTPUT`.

use std::path::Path;

use mandelfarm::{Event, Means, PictureRequest, Progress, Stop, picture};

/// Says what becomes known, a line each.
struct Lines;

impl Progress for Lines {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Warning(line) => eprintln!("warning: {line}"),
            Event::PictureBegan { strips, samples } => {
                eprintln!("{samples} samples in {strips} strips");
            }
            Event::StripsDone(strips) => eprintln!("{strips} strips are done"),
            _ => {}
        }
    }
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [request, output] = &words[..] else {
        anyhow::bail!("give a request and the file to write");
    };
    let request: PictureRequest = serde_json::from_str(request)?;
    let means = Means::to_file(Path::new(output));
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(picture(request, means, &Lines, &Stop::new()))?;
    Ok(())
}
