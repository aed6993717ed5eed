//! Why a worker ended, from the facts of its end. Decides only; no I/O.

use farm_sys::ExitStatus;

/// What V8 writes to stderr before it aborts for want of memory.
const V8_LAST_WORDS: [&str; 2] =
    ["Allocation failed - JavaScript heap out of memory", "Allocation failed - process out of memory"];

const SIGKILL: i32 = 9;
/// Signals that a process brings upon itself; all others somebody sends.
const FAULTS: [i32; 7] = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS];
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGABRT: i32 = 6;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;
const SIGSYS: i32 = 31;

/// `killed_for`: why farm has killed it. `oom_kill`: the kernel has killed some process for memory meanwhile.
pub fn verdict(
    status: &ExitStatus,
    killed_for: Option<&'static str>,
    stderr: &str,
    oom_kill: impl FnOnce() -> bool,
) -> &'static str {
    if let Some(cause) = killed_for {
        return cause;
    }
    match (status.signal, status.code) {
        (Some(SIGKILL), _) if oom_kill() => "oom-killer",
        // A shell between farm and the program turns the signal into a code.
        (Some(SIGABRT | SIGTRAP | SIGILL), _) | (_, Some(132..=134)) if out_of_heap(stderr) => "heap-out-of-memory",
        (Some(signal), _) if FAULTS.contains(&signal) => "crashed",
        (Some(_), _) => "killed",
        (None, Some(_)) => "exited",
        (None, None) => "unknown",
    }
}

fn out_of_heap(stderr: &str) -> bool {
    V8_LAST_WORDS.iter().any(|words| stderr.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAP: &str =
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0x7f node";

    fn of(signal: Option<i32>, code: Option<i32>, stderr: &str, oom: bool) -> &'static str {
        verdict(&ExitStatus { signal, code, ..Default::default() }, None, stderr, || oom)
    }

    #[test]
    fn the_facts_decide() {
        assert_eq!(of(Some(SIGABRT), None, HEAP, false), "heap-out-of-memory");
        assert_eq!(of(None, Some(134), HEAP, false), "heap-out-of-memory");
        assert_eq!(of(Some(SIGABRT), None, "assertion failed", false), "crashed");
        assert_eq!(of(Some(SIGSEGV), None, HEAP, true), "crashed");
        assert_eq!(of(Some(SIGKILL), None, "", true), "oom-killer");
        assert_eq!(of(Some(SIGKILL), None, "", false), "killed");
        assert_eq!(of(Some(15), None, "", true), "killed");
        assert_eq!(of(None, Some(0), "", true), "exited");
        assert_eq!(of(None, Some(1), HEAP, true), "exited");
        assert_eq!(of(None, None, "", true), "unknown");
    }

    #[test]
    fn what_farm_did_itself_is_nobody_elses_doing() {
        let killed = ExitStatus { signal: Some(SIGKILL), ..Default::default() };
        assert_eq!(verdict(&killed, Some("close"), HEAP, || panic!("not to be asked")), "close");
    }
}
