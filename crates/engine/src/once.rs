//! What a process has one of, made by whoever asks first. If that fails nothing is left, and the next one tries again.

use std::sync::{Mutex, OnceLock, PoisonError};

pub struct Once<T> {
    made: OnceLock<T>,
    making: Mutex<()>,
}

impl<T> Once<T> {
    pub const fn new() -> Self {
        Once { made: OnceLock::new(), making: Mutex::new(()) }
    }

    pub fn get(&self) -> Option<&T> {
        self.made.get()
    }

    /// Those that ask meanwhile wait; in `make` nobody may ask.
    pub fn get_or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = make()?;
        Ok(self.made.get_or_init(|| made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_made_is_made_by_the_next_and_then_stays() {
        let one: Once<u32> = Once::new();
        assert_eq!(one.get_or_make(|| Err("no")), Err("no"));
        assert_eq!(one.get(), None);
        assert_eq!(one.get_or_make(|| Ok::<_, ()>(1)), Ok(&1));
        assert_eq!(one.get_or_make(|| Err("not asked")), Ok(&1));
    }

    #[test]
    fn it_is_made_once_whoever_asks() {
        let one: Once<usize> = Once::new();
        let made = std::sync::atomic::AtomicUsize::new(0);
        let ask = || one.get_or_make(|| Ok::<_, ()>(made.fetch_add(1, std::sync::atomic::Ordering::SeqCst))).copied();
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), Ok(0)));
        });
    }
}
