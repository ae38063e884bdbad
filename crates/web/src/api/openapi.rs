//! `GET /api/openapi.json`: what is asked and answered, made from the types that are read and written.

use std::sync::LazyLock;

use utoipa::OpenApi;

use super::names::{formulas, palettes};
use super::{farm, figures, jobs, minibrot, picture, place, status, tile};
use crate::answer::{Answer, bytes};

/// Everything that may be asked.
#[derive(OpenApi)]
#[openapi(
    paths(
        tile::answer,
        picture::answer,
        minibrot::answer,
        place::answer,
        palettes::names,
        palettes::answer,
        formulas::names,
        status::answer,
        farm::events,
        farm::job,
        farm::order,
        figures::answer,
        figures::metrics,
        jobs::list,
        jobs::submit,
        jobs::job,
        jobs::plan,
        jobs::order,
        jobs::events::events,
        jobs::files::file,
        jobs::files::thumbnail,
        jobs::files::picture
    ),
    info(
        title = "Mandelfarm's page",
        description = "What the page of `submitter serve` asks its server. Every request has the cookie that the printed \
            address is exchanged for; what is not read by GET also says `Sec-Fetch-Site: same-origin` or the right `Origin`."
    )
)]
struct Document;

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| Document::openapi().to_json().unwrap_or_default());

/// The document.
pub fn answer() -> Answer {
    bytes("application/json", DOCUMENT.as_str())
}
