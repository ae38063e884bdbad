//! The files of the page, as they are.

use hyper::header::{CONTENT_TYPE, HeaderValue};

use crate::answer::{Answer, bytes};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Path, kind and text of each.
const FILES: [(&str, &str, &str); 29] = [
    ("/", HTML, include_str!("../page/index.html")),
    ("/style.css", CSS, include_str!("../page/style.css")),
    ("/farm", HTML, include_str!("../page/farm.html")),
    ("/farm.css", CSS, include_str!("../page/farm.css")),
    ("/farm.js", SCRIPT, include_str!("../page/farm.js")),
    ("/icon.svg", SVG, include_str!("../page/icon.svg")),
    ("/address.js", SCRIPT, include_str!("../page/address.js")),
    ("/canvas.js", SCRIPT, include_str!("../page/canvas.js")),
    ("/caption.js", SCRIPT, include_str!("../page/caption.js")),
    ("/decimal.js", SCRIPT, include_str!("../page/decimal.js")),
    ("/explorer.js", SCRIPT, include_str!("../page/explorer.js")),
    ("/figures.js", SCRIPT, include_str!("../page/figures.js")),
    ("/formulas.js", SCRIPT, include_str!("../page/formulas.js")),
    ("/gl.js", SCRIPT, include_str!("../page/gl.js")),
    (
        "/gradients.js",
        SCRIPT,
        include_str!("../page/gradients.js"),
    ),
    ("/input.js", SCRIPT, include_str!("../page/input.js")),
    ("/julia.js", SCRIPT, include_str!("../page/julia.js")),
    ("/leave.js", SCRIPT, include_str!("../page/leave.js")),
    ("/queue.js", SCRIPT, include_str!("../page/queue.js")),
    ("/rows.js", SCRIPT, include_str!("../page/rows.js")),
    ("/words.js", SCRIPT, include_str!("../page/words.js")),
    ("/main.js", SCRIPT, include_str!("../page/main.js")),
    ("/minimap.js", SCRIPT, include_str!("../page/minimap.js")),
    ("/painter.js", SCRIPT, include_str!("../page/painter.js")),
    ("/palette.js", SCRIPT, include_str!("../page/palette.js")),
    ("/panels.js", SCRIPT, include_str!("../page/panels.js")),
    ("/scheme.js", SCRIPT, include_str!("../page/scheme.js")),
    ("/server.js", SCRIPT, include_str!("../page/server.js")),
    ("/view.js", SCRIPT, include_str!("../page/view.js")),
];

/// What a browser sees that has no cookie.
const STRANGER: &str = include_str!("../page/stranger.html");

/// The file at a path.
#[must_use]
pub fn file(path: &str) -> Option<Answer> {
    let (_, kind, text) = FILES.iter().find(|(known, ..)| *known == path)?;
    Some(bytes(kind, *text))
}

/// What a browser sees that has no cookie.
#[must_use]
pub fn stranger() -> Answer {
    let mut answer = bytes(HTML, STRANGER);
    *answer.status_mut() = hyper::StatusCode::UNAUTHORIZED;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most bytes of the whole page.
    const MOST_BYTES: usize = 150_000;

    #[test]
    fn the_page_is_small_and_has_nothing_inline_and_nothing_of_others() {
        let all: usize = FILES.iter().map(|(.., text)| text.len()).sum();
        assert!(all < MOST_BYTES, "{all} bytes");
        let html = FILES.iter().filter(|(_, kind, _)| *kind == HTML);
        for text in html.map(|(.., text)| *text).chain([STRANGER]) {
            for wrong in [
                "<style",
                "style=",
                "onclick",
                "onload",
                "javascript:",
                "<script>",
            ] {
                assert!(!text.contains(wrong), "{wrong}");
            }
        }
        for (path, _, text) in FILES {
            let foreign = text.match_indices("://").filter(|(at, _)| {
                // Names of XML's vocabularies are no addresses that are loaded.
                !text[at + 3..].starts_with("www.w3.org/")
            });
            assert_eq!(foreign.count(), 0, "{path}");
        }
    }
}
