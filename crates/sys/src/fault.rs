//! Faults that a test asks for.

/// Set to `1`, this environment variable makes the supervisor panic when a farm is to be reloaded: nothing in a healthy build
/// does, and what becomes of its farms then is to be seen.
const FORCE_FAULT: &str = "FARM_FORCE_FAULT";

pub fn is_fault_forced() -> bool {
    std::env::var_os(FORCE_FAULT).is_some_and(|value| value == "1")
}
