//! What another process uses: unknown here.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessState {
    pub letter: char,
    pub ticks: u64,
}

pub fn cpu_ns(_pid: i32) -> Option<u64> {
    None
}

pub fn private_bytes(_pid: i32) -> Option<u64> {
    None
}

pub fn max_resident(_pid: i32) -> Option<u64> {
    None
}

pub fn is_runnable(_pid: i32) -> bool {
    false
}

pub fn group_ticks(_group: i32) -> Option<u64> {
    None
}

pub fn process_state(_pid: i32) -> Option<ProcessState> {
    None
}
