//! When the memory of an arena's free blocks goes back to the system: when no block has come back to it between two looks.
//! One [`Quiet`] per arena.

#[derive(Debug, Default)]
pub struct Quiet {
    seen: u64,
    cooled: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// It is in use.
    Busy,
    /// It has been left alone: give back what it keeps.
    Cool,
    /// There is nothing more to give back.
    Cold,
}

impl Quiet {
    /// `returns`: blocks that came back to it, ever. `waiting`: some have not got there yet, since its owner made no room.
    pub fn look(&mut self, returns: u64, waiting: bool) -> Look {
        if std::mem::replace(&mut self.seen, returns) != returns {
            return Look::Busy;
        }
        if std::mem::replace(&mut self.cooled, returns) != returns || waiting {
            return Look::Cool;
        }
        Look::Cold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_is_cooled_once_after_a_time_without_returns() {
        let mut quiet = Quiet::default();
        assert_eq!(quiet.look(0, false), Look::Cold);
        assert_eq!(quiet.look(3, false), Look::Busy);
        assert_eq!(quiet.look(9, false), Look::Busy);
        assert_eq!(quiet.look(9, false), Look::Cool);
        assert_eq!(quiet.look(9, false), Look::Cold);
        assert_eq!(quiet.look(10, false), Look::Busy);
        assert_eq!(quiet.look(10, false), Look::Cool);
        assert_eq!(quiet.look(10, false), Look::Cold);
    }

    #[test]
    fn it_is_cooled_until_all_that_waits_has_got_there() {
        let mut quiet = Quiet::default();
        assert_eq!(quiet.look(3, true), Look::Busy);
        assert_eq!(quiet.look(3, true), Look::Cool);
        assert_eq!(quiet.look(3, true), Look::Cool);
        assert_eq!(quiet.look(5, false), Look::Busy);
        assert_eq!(quiet.look(5, false), Look::Cool);
        assert_eq!(quiet.look(5, false), Look::Cold);
    }
}
