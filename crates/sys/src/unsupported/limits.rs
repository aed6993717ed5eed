//! What holds a child to its limits: nothing here.

use crate::{Error, Restrictions, Result};

pub fn refusal(_wanted: &Restrictions) -> Result<()> {
    Err(Error::Unsupported { what: "limiting a worker" })
}

pub fn usable_cpu_numbers() -> Vec<usize> {
    Vec::new()
}
