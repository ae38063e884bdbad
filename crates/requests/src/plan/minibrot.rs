//! What a request for a minibrot may not say.

use fractal::FrameSpec;
use fractal::formula::nuclei::order;

use super::refused::PlanError;
use crate::request::MinibrotRequest;

/// Checks that a view is given one way, and so is how the minibrot's is turned. Reads no file.
///
/// # Errors
/// What contradicts something else, or is missing.
pub fn check_request(request: &MinibrotRequest, has_location: bool) -> Result<(), PlanError> {
    let given = |list: &[(&'static str, bool)]| list.iter().find(|one| one.1).map(|one| one.0);
    let turn = [
        ("rotate", request.turn.rotate.is_some()),
        ("stretch", request.turn.stretch.is_some()),
        ("stretch-angle", request.turn.stretch_angle.is_some()),
    ];
    if let (true, Some(other)) = (request.upright, given(&turn)) {
        return Err(PlanError::Together("upright", other));
    }
    let centre = [("re", request.re.is_some()), ("im", request.im.is_some())];
    match (given(&centre), &request.zoom) {
        (Some(other), _) if has_location => Err(PlanError::Together("location", other)),
        _ if has_location => Ok(()),
        (Some("re"), _) if request.im.is_none() => Err(PlanError::Alone("re", "im")),
        (Some("im"), _) => Err(PlanError::Alone("im", "re")),
        (Some(_), None) => Err(PlanError::Alone("re", "zoom")),
        (Some(_), Some(_)) => Ok(()),
        (None, _) => Err(PlanError::Place),
    }
}

/// Checks that minibrots are found of what is iterated.
///
/// # Errors
/// When it is a Julia set, or a formula of which 0 is no critical point.
pub fn check_formula(frame: &FrameSpec) -> Result<(), PlanError> {
    if frame.julia.is_some() {
        return Err(PlanError::Minibrots("a Julia set".to_owned()));
    }
    match order(&frame.formula) {
        Some(_) => Ok(()),
        None => Err(PlanError::Minibrots(frame.formula.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minibrot_is_looked_for_around_one_place() {
        let says = |text: &str, has_location| {
            let request: MinibrotRequest = serde_json::from_str(text).unwrap();
            check_request(&request, has_location).map_err(|error| error.to_string())
        };
        let place = r#""re": "-1.7549", "im": "0", "zoom": "1000""#;
        let with = |more: &str| format!("{{{place}{more}}}");
        assert_eq!(says(&with(""), false), Ok(()));
        assert_eq!(says(&with(r#", "rotate": 5"#), false), Ok(()));
        for nothing in ["{}", r#"{"zoom": "5"}"#, r#"{"rotate": 5}"#] {
            assert_eq!(says(nothing, true), Ok(()));
            let none = "no place given: --re, --im and --zoom, or --location";
            assert_eq!(says(nothing, false), Err(none.to_owned()));
        }
        for (text, has_location, line) in [
            (with(""), true, "--location does not go with --re"),
            (
                r#"{"im": "0"}"#.to_owned(),
                true,
                "--location does not go with --im",
            ),
            (r#"{"re": "0"}"#.to_owned(), false, "--re needs --im"),
            (r#"{"im": "0"}"#.to_owned(), false, "--im needs --re"),
            (
                r#"{"re": "0", "im": "0"}"#.to_owned(),
                false,
                "--re needs --zoom",
            ),
            (
                with(r#", "upright": true, "rotate": 5"#),
                false,
                "--upright does not go with --rotate",
            ),
            (
                r#"{"upright": true, "stretch": 5}"#.to_owned(),
                true,
                "--upright does not go with --stretch",
            ),
        ] {
            assert_eq!(says(&text, has_location), Err(line.to_owned()), "{text}");
        }
    }
}
