//! Renders the whole set on a farm, in the colours of a palette, until Ctrl-C: `farm REDIS PALETTE OUTPUT`.
#![allow(clippy::print_stdout)] // printing is what this program is for

use std::path::Path;

use mandelfarm::{Made, Means, PictureRequest, Silent, Stop, picture};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [redis, palette, output] = &words[..] else {
        anyhow::bail!("give the address of the farm's Redis, a palette and the file to write");
    };
    let mut request = PictureRequest::whole_set(256);
    request.colours.palette = Some(palette.parse()?);
    let means = Means::to_file(Path::new(output)).on_farm(redis);
    let stop = Stop::new();
    let runtime = tokio::runtime::Runtime::new()?;
    let interrupted = stop.clone();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.request();
        }
    });
    let made = runtime.block_on(picture(request, means, &Silent, &stop))?;
    if let Made::Rendered(rendered) = made {
        println!("{}", rendered.report.report.summary());
    }
    Ok(())
}
