//! One small picture at once.

use crate::deed::Deed;
use crate::error::RenderError;
use crate::picture::Picture;
use crate::plan::{Place, RenderPlan};
use crate::progress::Silent;
use crate::render::render;
use crate::stop::Stop;

/// Most samples of a tile: 1920 x 1080 pixels of four samples each are within it.
pub const MAX_SAMPLES: u64 = 1 << 23;

/// Why there is no tile.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// It is over [`MAX_SAMPLES`].
    #[error("a tile of {0} samples is over the limit of {MAX_SAMPLES}")]
    TooLarge(u64),
    /// It cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Renders the view of `plan` here, whatever place, files and journal it names.
///
/// # Errors
/// When it is too large, or as of any render.
pub fn tile<'a>(plan: RenderPlan, stop: &'a Stop) -> Deed<'a, Result<Picture, TileError>> {
    Box::pin(async move {
        let samples = plan.frame.pixels();
        if samples > MAX_SAMPLES {
            return Err(TileError::TooLarge(samples));
        }
        let mut plan = RenderPlan {
            outputs: Vec::new(),
            keeps: true,
            place: match plan.place {
                Place::Farm { .. } => Place::InProcess {
                    workers: 1,
                    threads: None,
                },
                here => here,
            },
            audit: 0,
            journal: None,
            ..plan
        };
        // Nobody is told it, so that no samples are computed for it.
        plan.colours.range.get_or_insert((0.0, 1.0));
        let rendered = render(&plan, None, &Silent, stop).await;
        let rendered = rendered.map_err(|failed| failed.error)?;
        Ok(rendered
            .picture
            .unwrap_or_else(|| unreachable!("the plan keeps it")))
    })
}
