//! Renders a view into memory and says what its smooth iteration counts are: `array RE IM ZOOM`.
#![allow(clippy::print_stdout)] // printing is what this program is for

use mandelfarm::{Made, Means, Measure, PictureRequest, Silent, Stop, picture};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [re, im, zoom] = &words[..] else {
        anyhow::bail!("give the real part, the imaginary part and the magnification");
    };
    let request = PictureRequest::at(re, im, zoom)?.sized(320, 180);
    let runtime = tokio::runtime::Runtime::new()?;
    let stop = Stop::new();
    let made = picture(request, Means::in_memory(), &Silent, &stop);
    let Made::Rendered(rendered) = runtime.block_on(made)? else {
        anyhow::bail!("nothing was rendered");
    };
    let picture = rendered.picture.expect("it is kept in memory");
    let counts = picture.values(Measure::Smooth).unwrap_or_default();
    let outside: Vec<f32> = counts
        .iter()
        .copied()
        .filter(|count| *count > 0.0)
        .collect();
    println!("pixels {}", counts.len());
    println!("inside {}", counts.len() - outside.len());
    println!(
        "least {}",
        outside.iter().copied().fold(f32::INFINITY, f32::min)
    );
    println!("most {}", outside.iter().copied().fold(0.0, f32::max));
    Ok(())
}
