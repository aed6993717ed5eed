//! How long a thread runs on a CPU before another one has its turn.

/// `struct sched_attr` of sched_setattr(2), first version.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks the scheduler for turns of this length (ns) for the calling thread, and for threads and children that it starts from
/// now on; how long they were, 0 where that is unknown. A thread with shorter turns takes a CPU from one with longer turns at
/// once when it wakes, instead of waiting for the turn's end (EEVDF, Linux 6.12; older kernels ignore the wish). The share of
/// CPU time stays what it is.
pub fn take_turns(ns: u64) -> u64 {
    turns_of(0, ns)
}

/// `thread` 0 is the calling one.
pub(super) fn turns_of(thread: i32, ns: u64) -> u64 {
    const SCHED_OTHER: u32 = 0;
    let mut attributes = Attributes::default();
    let size = size_of::<Attributes>() as u32;
    // SAFETY: both calls get the address of a struct of the size they are told; a refusal changes nothing and is not an
    // error.
    unsafe {
        if libc::syscall(libc::SYS_sched_getattr, thread, &raw mut attributes, size, 0) != 0
            || attributes.policy != SCHED_OTHER
        {
            return 0;
        }
        attributes.size = size;
        let before = std::mem::replace(&mut attributes.runtime, ns);
        libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, 0);
        before
    }
}
