//! What a formula asks of numbers.

/// What folds a complex number at an axis, or turns it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// |re z|
    AbsX,
    /// |im z|
    AbsY,
    /// -re z
    NegX,
    /// -im z
    NegY,
}

/// The numbers in which a [`Phase`](super::Phase) is evaluated: integers, doubles, deltas from a reference orbit, linear maps
/// with a bound of what they leave out.
pub trait Numbers {
    /// A value of z.
    type Value: Clone;

    /// z², of a value that was tapped.
    fn square(&mut self, z: Self::Value) -> Self::Value;
    /// z times what was stored.
    fn multiply(&mut self, z: Self::Value, stored: &Self::Value) -> Self::Value;
    /// z folded.
    fn fold(&mut self, z: Self::Value, fold: Fold) -> Self::Value;
    /// z turned by the angle that is the formula's `index`th, see [`super::Formula::rotations`].
    fn rotate(&mut self, z: Self::Value, index: usize) -> Self::Value;
    /// z + c
    fn add(&mut self, z: Self::Value) -> Self::Value;
    /// Where reference orbits keep z, and deltas take it up: before what is not linear, where z is no longer what was kept last.
    fn tap(&mut self, z: Self::Value) -> Self::Value {
        z
    }
}
