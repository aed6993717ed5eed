//! Systems that farm does not run on yet: every ability answers `Unsupported`, so that the seams stay real and the other
//! crates type-check.
