//! What the process needs that guards another: to be out of the way of everybody's signals, to see the end of its parent,
//! to end groups.

pub use super::cgroup::{clear_groups, end_groups};

use super::Fd;
use crate::{Error, Result};
use rustix::event::{poll, PollFd, PollFlags};
use rustix::process::{self, Pid, PidfdFlags, Signal};

/// What a terminal, a shell or a service manager sends to whole groups, or by name.
const IGNORED: [i32; 10] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGPIPE,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// A descriptor of this process itself, readable in another when this one has ended. `None` where there is none.
pub fn own_end() -> Option<Fd> {
    if super::child::is_pidfd_forced_off() {
        return None;
    }
    process::pidfd_open(process::getpid(), PidfdFlags::empty()).ok().map(Fd::from)
}

/// In a guard: nothing but SIGKILL ends this process from outside, and it carries its own name.
pub fn stay_apart() {
    for number in IGNORED {
        // SAFETY: sets a disposition that runs no code of ours, in a process with one thread.
        unsafe { libc::signal(number, libc::SIG_IGN) };
    }
    let _ = rustix::thread::set_name(c"farm-guard");
}

/// In a guard: lets go of everything that was inherited by accident.
pub fn close_from(first: i32) {
    // Not close_range, which older kernels and filters of system calls do not have.
    let listed = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number >= first) {
        // SAFETY: numbers from `first` on belong to nobody in this process: it has just started, and opened none of them but
        // the listing, whose number is closed already.
        unsafe { libc::close(number) };
    }
}

/// Returns when one of these ends: a pipe whose writers are gone, a process that has ended.
pub fn wait_for_any(ends: &[&Fd]) -> Result<()> {
    let mut fds: Vec<_> = ends.iter().map(|fd| PollFd::new(*fd, PollFlags::IN)).collect();
    loop {
        match poll(&mut fds, None) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(Error::system("poll", error)),
        }
    }
}

/// Kills all processes of a group, stopped ones too.
pub fn kill_group(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        let _ = process::kill_process_group(group, Signal::KILL);
    }
}
