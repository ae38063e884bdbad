//! The key frames around the next frame, in its colours.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::compose::Composer;
use super::paint::Values;
use super::resample::{Picture, Sample};
use colour::Painter;

/// A key frame as frames are made of it; all of a sequence are of one kind.
pub enum Key<S> {
    /// In colours.
    Painted(Picture<S>),
    /// What its colours come from, in each frame anew.
    Values(Values, Arc<Painter>),
}

/// How deep a key frame is, and itself.
pub type Numbered<S> = (u32, Key<S>);

/// An outer key frame, and an inner one with the one after it in its middle.
pub type Around<'a, S> = (&'a Picture<S>, Option<&'a Picture<S>>);

/// Key frames that are held.
pub struct Held<S> {
    keys: Receiver<Numbered<S>>,
    there: BTreeMap<u32, Key<S>>,
    /// An inner key frame with the one after it in its middle, where colours stay.
    refined: Option<(u32, Picture<S>)>,
    /// The outer one, the inner one and the one after it, where each frame has colours of its own.
    painted: [Picture<S>; 3],
}

impl<S: Sample> Held<S> {
    /// Of those that come from `keys`.
    #[must_use]
    pub fn new(keys: Receiver<Numbered<S>>) -> Self {
        Self {
            keys,
            there: BTreeMap::new(),
            refined: None,
            painted: Default::default(),
        }
    }

    /// Waits for the key frames from `outer` down to `innermost`, and lets go of the others; `None` where they do not
    /// come.
    pub fn come(&mut self, outer: u32, innermost: u32) -> Option<()> {
        let wanted = innermost..=outer;
        self.there.retain(|depth, _| wanted.contains(depth));
        while !wanted.clone().all(|depth| self.there.contains_key(&depth)) {
            let (depth, key) = self.keys.recv().ok()?;
            self.there.insert(depth, key);
        }
        Some(())
    }

    /// Key frames `outer` and `inner`, which have come, in the colours of a frame `beyond` octaves past the outer one.
    pub fn around(
        &mut self,
        (outer, inner): (u32, Option<u32>),
        beyond: f64,
        composer: &Composer,
    ) -> Option<Around<'_, S>> {
        match self.there.get(&outer)? {
            Key::Painted(_) => self.with_kept_colours(outer, inner, composer),
            Key::Values(..) => self.with_own_colours((outer, inner), beyond, composer),
        }
    }

    fn with_kept_colours(
        &mut self,
        outer: u32,
        inner: Option<u32>,
        composer: &Composer,
    ) -> Option<Around<'_, S>> {
        let refined = self.refined.take();
        self.refined = match inner {
            Some(inner) => match refined.filter(|(depth, _)| *depth == inner) {
                Some(refined) => Some(refined),
                None => Some((inner, self.refined(inner, composer)?)),
            },
            None => None,
        };
        let inner = self.refined.as_ref().map(|(_, picture)| picture);
        Some((self.picture(outer)?, inner))
    }

    fn refined(&self, inner: u32, composer: &Composer) -> Option<Picture<S>> {
        let mut picture = self.picture(inner)?.clone();
        if let Some(next) = inner.checked_sub(1).and_then(|next| self.picture(next)) {
            composer.refine(&mut picture, next);
        }
        Some(picture)
    }

    fn picture(&self, depth: u32) -> Option<&Picture<S>> {
        match self.there.get(&depth)? {
            Key::Painted(picture) => Some(picture),
            Key::Values(..) => None,
        }
    }

    fn with_own_colours(
        &mut self,
        (outer, inner): (u32, Option<u32>),
        beyond: f64,
        composer: &Composer,
    ) -> Option<Around<'_, S>> {
        let next = inner.and_then(|inner| inner.checked_sub(1));
        let mut is_there = [false; 3];
        for (at, depth) in [Some(outer), inner, next].into_iter().enumerate() {
            let key = depth.and_then(|depth| self.there.get(&depth));
            if let Some(Key::Values(values, painter)) = key {
                let octaves = beyond - at as f64;
                composer.painted(values, painter, octaves, &mut self.painted[at]);
                is_there[at] = true;
            }
        }
        let [outer, inner, next] = &mut self.painted;
        if is_there[1] && is_there[2] {
            composer.refine(inner, next);
        }
        Some((outer, is_there[1].then_some(&*inner)))
    }
}
