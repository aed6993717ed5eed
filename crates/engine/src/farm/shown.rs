//! Which bytes of one worker's arena JavaScript looks at in place.

use std::collections::BTreeMap;

/// Offset and length of each. No two overlap.
#[derive(Default)]
pub struct Views(BTreeMap<u64, u64>);

impl Views {
    /// False when some of it is looked at already: only a worker that breaks the rules sends the same bytes twice.
    pub fn show(&mut self, at: u64, len: u64) -> bool {
        let end = at.saturating_add(len.max(1));
        let free = self.0.range(..end).next_back().is_none_or(|(start, len)| start + len.max(&1) <= at);
        if free {
            self.0.insert(at, len);
        }
        free
    }

    pub fn hide(&mut self, at: u64) {
        self.0.remove(&at);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn list(&self) -> Vec<(u64, u64)> {
        self.0.iter().map(|(at, len)| (*at, *len)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_looked_at_is_not_shown_again(steps in proptest::collection::vec((any::<bool>(), 0u64..60, 0u64..9), 1..80)) {
            let mut views = Views::default();
            let mut model: Vec<(u64, u64)> = Vec::new();
            for (show, at, len) in steps {
                if show {
                    let overlaps = model.iter().any(|(start, held)| at < start + held.max(&1) && *start < at + len.max(1));
                    prop_assert_eq!(views.show(at, len), !overlaps);
                    model.extend((!overlaps).then_some((at, len)));
                } else if !model.is_empty() {
                    let (at, _) = model.swap_remove(at as usize % model.len());
                    views.hide(at);
                }
                model.sort_unstable();
                prop_assert_eq!(views.list(), model.clone());
            }
        }
    }
}
