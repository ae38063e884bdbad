//! Bitmaps over a job's slots.

/// A set of slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// GETBIT.
    #[must_use]
    pub fn get(&self, slot: u32) -> bool {
        let word = self.0.get(slot as usize / 64).copied().unwrap_or(0);
        word >> (slot % 64) & 1 == 1
    }

    /// SETBIT 1.
    pub fn set(&mut self, slot: u32) {
        let at = slot as usize / 64;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 1 << (slot % 64);
    }

    /// SETBIT 0.
    pub fn clear(&mut self, slot: u32) {
        if let Some(word) = self.0.get_mut(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
        // Equal sets look equal.
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// How many are set.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_are_equal() {
        let mut bits = Bits::default();
        assert!(!bits.get(1000));
        for slot in [0, 63, 64, 1000] {
            bits.set(slot);
            assert!(bits.get(slot) && !bits.get(slot + 1) | (slot == 63));
        }
        assert_eq!(bits.count(), 4);
        for slot in [1000, 64, 63, 0] {
            bits.clear(slot);
            assert!(!bits.get(slot));
        }
        assert_eq!(bits, Bits::default());
    }
}
