//! What a submitter asks for: which strip, what for, and who may not have it.

use fractal::{Strip, StripPlan};

/// What a strip is on the queue for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Issue {
    /// To become part of the picture.
    Render,
    /// To be compared with what another worker made of it.
    Audit,
}

impl Issue {
    /// The place of the result among those of a job that is cut as `plan`: pictures' strips first, then
    /// audits. Whatever is first there wins.
    #[must_use]
    pub fn slot(self, strip: Strip, plan: StripPlan) -> u32 {
        match self {
            Self::Render => strip.index,
            // A plan has at most 2^17 strips.
            Self::Audit => plan.count().saturating_add(strip.index),
        }
    }
}

/// A strip to queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// The strip.
    pub strip: Strip,
    /// What for.
    pub issue: Issue,
    /// Name of a worker that may not have it: who made what is audited, or is late with it.
    pub not: Option<String>,
    /// Whether it is a copy of one that is under way already.
    pub extra: bool,
}

impl From<Strip> for Order {
    /// To be rendered, by anybody.
    fn from(strip: Strip) -> Self {
        Self {
            strip,
            issue: Issue::Render,
            not: None,
            extra: false,
        }
    }
}
