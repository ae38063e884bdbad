//! What the model looks for.

/// What must never happen, and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// Somebody who did not have an entry changed something about it.
    Zombie,
    /// Bytes that were announced are other ones now.
    Overwritten,
    /// A strip came once more, with other bytes, from a server that lost nothing.
    Twice,
    /// A worker was given what it had failed at, and another one that is alive had not had it since.
    OutOfTurn,
}
