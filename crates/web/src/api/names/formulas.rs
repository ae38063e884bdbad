//! `GET /api/formulas`: the formulas that have a name, and where each is seen whole.

use fractal::formula::names::NAMED;
use requests::plan::home;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Problem, json};

/// A formula that has a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedFormula {
    name: &'static str,
    /// As `--formula` takes them.
    operations: &'static str,
    /// Smallest and largest real part, smallest and largest imaginary part of the view that shows all of it.
    #[schema(value_type = [f64], min_items = 4, max_items = 4)]
    bounds: [f64; 4],
}

/// The formulas that have a name.
#[utoipa::path(
    get,
    path = "/api/formulas", operation_id = "formulas",
    responses(
        (status = 200, description = "Their names, operations and home views.", body = [NamedFormula]),
        super::super::responses::Problems
    )
)]
pub fn names() -> Result<Answer, Problem> {
    let named = NAMED.iter().map(|&(name, operations)| {
        let formula = operations.parse().map_err(Problem::unfit)?;
        Ok(NamedFormula {
            name,
            operations,
            bounds: home::bounds(&formula, None).map(|bound| bound.to_f64()),
        })
    });
    Ok(json(&named.collect::<Result<Vec<_>, Problem>>()?))
}
