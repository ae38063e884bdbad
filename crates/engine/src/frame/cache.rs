//! What devices keep with a frame, so that its strips share it.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// At most one value of each type.
///
/// A frame stands below the devices that compute it and does not know what they keep; it is dropped with the frame.
#[derive(Debug, Default)]
pub(crate) struct FrameCache(Mutex<Vec<Arc<dyn Any + Send + Sync>>>);

impl FrameCache {
    /// The value of type `T`, made by `make` when it is first asked for; whoever else asks for any value waits meanwhile.
    pub(crate) fn get_or_init<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for value in values.iter() {
            if let Ok(known) = Arc::clone(value).downcast() {
                return known;
            }
        }
        let made = Arc::new(make());
        values.push(Arc::<T>::clone(&made));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_value() {
        let cache = FrameCache::default();
        let first = cache.get_or_init(|| String::from("first"));
        assert_eq!(*cache.get_or_init(|| 7u64), 7);
        let second = cache.get_or_init(|| String::from("second"));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(*cache.get_or_init(|| 8u64), 7);
    }
}
