//! `submitter plan`.

use engine::check;
use farm_worker::memory::display_bytes;
use fractal::{Counts, View};
use requests::perform::picture::plan_picture;
use requests::perform::preview::Preview;

use crate::cli::render::RenderArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::tables::{complex, shortened, turned};
use crate::terminal::{write_json, write_stdout};

/// Says what a render would do.
pub async fn run(args: RenderArgs, context: &Context) -> Result<(), Failure> {
    let json = args.say.json;
    let (request, means) = args.split()?;
    let (plan, placing) = plan_picture(request, means, &*context.progress, &context.stop).await?;
    let preview = Preview::of(&plan, &placing);
    if json {
        write_json(&preview)
    } else {
        write_stdout(lines(&preview).as_bytes())
    }
}

/// What samples of the view will decide.
fn check(preview: &Preview) -> Option<String> {
    let samples = u64::from(check::SIDE * check::SIDE).min(preview.pixels);
    let is_settled = preview.counts == Counts::Settled;
    // Their deep views are for processors.
    let is_general = preview.formula.is_some() || preview.julia.is_some();
    let is_deep_formula = is_general && preview.reference.is_some();
    if preview.arithmetic.only.is_some() || is_settled || is_deep_formula {
        return None;
    }
    let adapters = format!(
        "adapters compare {samples} samples with the processor's first, and change over if more than {} % differ",
        check::MOST_PERCENT
    );
    Some(match preview.arithmetic.checked {
        true => format!(
            "deltas instead if more than {} % of {samples} samples differ in them; {adapters}",
            check::MOST_PERCENT_OF_DOUBLES
        ),
        false => adapters,
    })
}

/// For people: a line each.
pub fn lines(preview: &Preview) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    match &preview.view {
        View::Centre { re, im, zoom } => {
            lines.push(("centre re", shortened(re.as_str())));
            lines.push(("centre im", shortened(im.as_str())));
            lines.push(("zoom", shortened(zoom.as_str())));
        }
        View::Bounds {
            xmin,
            xmax,
            ymin,
            ymax,
        } => lines.push((
            "bounds",
            format!(
                "re {} to {}, im {} to {}",
                shortened(xmin.as_str()),
                shortened(xmax.as_str()),
                shortened(ymin.as_str()),
                shortened(ymax.as_str())
            ),
        )),
    }
    if let Some(transform) = &preview.transform {
        lines.push(("turned", turned(transform)));
    }
    if let Some(formula) = &preview.formula {
        lines.push(("formula", formula.to_string()));
    }
    if let Some(c) = &preview.julia {
        lines.push(("julia set of c", complex(c)));
    }
    lines.push((
        "size",
        format!("{} x {} pixels", preview.width, preview.height),
    ));
    lines.push((
        "pixel spacing",
        format!(
            "2^{:.1}: {} decimal digits tell pixels apart",
            preview.spacing_log2, preview.digits
        ),
    ));
    lines.push((
        "iterations",
        format!("at most {} a pixel", preview.iterations),
    ));
    let kind = match (preview.arithmetic.deltas, preview.arithmetic.only) {
        _ if preview.reference.is_some() && preview.arithmetic.only.is_none() => {
            "deltas from a reference orbit: "
        }
        (true, None) => "deltas from a reference orbit: ",
        (false, None) => "plain iteration: ",
        (_, Some(_)) => "as asked for: ",
    };
    lines.push(("arithmetic", format!("{kind}{}", preview.processor)));
    if preview.counts == Counts::Settled {
        let words = "settled: pixels whose count is not certain go again in longer arithmetic";
        lines.push(("counts", words.to_owned()));
    }
    if let Some(check) = check(preview) {
        lines.push(("", check));
    }
    if let Some(reference) = &preview.reference {
        lines.push((
            "reference orbit",
            format!(
                "{} bits, at most {} iterations and {} of memory; less where it has a period",
                reference.bits,
                reference.most_steps,
                display_bytes(reference.most_bytes)
            ),
        ));
    }
    lines.push((
        "strips",
        format!(
            "{} of {} rows, {} each",
            preview.strips,
            preview.strip_rows,
            display_bytes(preview.strip_bytes)
        ),
    ));
    lines.push((
        "work",
        format!(
            "at most {:.1e} iterations, {} of values",
            preview.most_iterations,
            display_bytes(preview.picture_bytes)
        ),
    ));
    lines.push(("where", preview.place.clone()));
    if let Some(decision) = &preview.fallback {
        lines.push(("why there", decision.line()));
    }
    lines.push(("files", preview.outputs.join(", ")));
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{name:16} {value}\n"));
    }
    for warning in &preview.warnings {
        text.push_str(&format!("{:16} {warning}\n", "warning"));
    }
    text
}
