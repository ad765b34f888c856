//! Our objects that the master holds references to: the bot, and one for each builder (PROTOCOL 3.3).

use std::collections::BTreeMap;

use crate::calls::BuilderName;

/// Most objects that a master may hold. Twisted's own workers stop at 1024.
pub(super) const OBJECT_LIMIT: usize = 64 * 1024;

/// One of our objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    /// What the master calls for the worker as a whole.
    Bot,
    /// What it calls for one builder.
    Builder(BuilderName),
}

/// The objects that the master holds, by their numbers. A number is never used twice; an object that
/// the master has given back completely gets a new one when it is sent again.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// The number given last.
    last: i64,
    by_luid: BTreeMap<i64, (Object, u64)>,
    luids: BTreeMap<Object, i64>,
}

impl Objects {
    /// Counts one more sending of the object, and returns its number; none above [`OBJECT_LIMIT`].
    pub(super) fn lend(&mut self, object: Object) -> Option<i64> {
        if let Some(luid) = self.luids.get(&object) {
            if let Some((_, count)) = self.by_luid.get_mut(luid) {
                *count += 1;
                return Some(*luid);
            }
        }
        if self.by_luid.len() >= OBJECT_LIMIT {
            return None;
        }
        self.last += 1;
        self.luids.insert(object.clone(), self.last);
        self.by_luid.insert(self.last, (object, 1));
        Some(self.last)
    }

    /// Counts one sending less. Returns whether there was an object of this number.
    pub(super) fn take_back(&mut self, luid: i64) -> bool {
        let Some((_, count)) = self.by_luid.get_mut(&luid) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            if let Some((object, _)) = self.by_luid.remove(&luid) {
                self.luids.remove(&object);
            }
        }
        true
    }

    /// The object of this number.
    pub(super) fn get(&self, luid: i64) -> Option<&Object> {
        self.by_luid.get(&luid).map(|(object, _)| object)
    }

    /// How many the master holds.
    pub(super) fn len(&self) -> usize {
        self.by_luid.len()
    }
}
