//! A time that may not have been measured, in the room of one that was.
//!
//! Not here: what was measured by metric (`values`), where what is not there has no place at all.

use std::fmt;

use serde::{Serialize, Serializer};

/// Nanoseconds, or nothing: an `Option` takes twice the room, which is 16 MB in a million samples.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaybeNs(u64);

/// Nobody measures 584 years.
const NOTHING: u64 = u64::MAX;

impl MaybeNs {
    /// Not measured.
    pub const NONE: Self = Self(NOTHING);

    /// The time, where there is one.
    pub fn get(self) -> Option<u64> {
        (self.0 != NOTHING).then_some(self.0)
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.0 == NOTHING
    }
}

impl From<Option<u64>> for MaybeNs {
    fn from(ns: Option<u64>) -> Self {
        Self(ns.unwrap_or(NOTHING))
    }
}

impl fmt::Debug for MaybeNs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), out)
    }
}

impl Serialize for MaybeNs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_and_nothing_is_nothing() {
        for ns in [None, Some(0), Some(7)] {
            let kept = MaybeNs::from(ns);
            assert_eq!((kept.get(), kept.is_none(), format!("{kept:?}")), (ns, ns.is_none(), format!("{ns:?}")));
            assert_eq!(serde_json::to_string(&kept).unwrap(), serde_json::to_string(&ns).unwrap());
        }
        assert_eq!(size_of::<MaybeNs>(), size_of::<u64>());
    }
}
