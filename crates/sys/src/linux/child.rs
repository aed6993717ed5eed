//! One child process: start, signal, reap; and, on the child's side, the bond to its parent.

use super::cgroup::Group;
use super::turns::turns_of;
use super::{Fd, Line};
use crate::{unix::posix_spawn, Error, ExitStatus, Result, SpawnPlan};
use rustix::event::{poll, PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{self, Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use std::os::fd::AsFd;

/// Set to `1`, this environment variable makes children be watched without pidfd, as on kernels before 5.3.
const FORCE_NO_PIDFD: &str = "FARM_FORCE_NO_PIDFD";

/// Bytes of what a parent says on the line to a worker that runs.
const LONGEST_WORD: usize = 64;

#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: Option<Fd>,
    /// What this process had in memory at most when the child was started. The child's own figure begins there, because
    /// until it runs its program it shares our memory.
    inherited_resident: u64,
    group: Option<Group>,
}

/// Starts the program. Blocks until the child runs it; must be called from a thread that never ends, since the
/// parent-death signal is bound to the spawning thread.
///
/// `turns`: as [`super::take_turns`], for the child; 0 leaves it those of this thread.
pub fn spawn(plan: &SpawnPlan, turns: u64) -> Result<Child> {
    let raw = posix_spawn(plan)?;
    // Before all else: what the child starts from now on takes over those it has.
    if turns != 0 {
        turns_of(raw, turns);
    }
    let pid = Pid::from_raw(raw).ok_or(Error::Unsupported { what: "a child with pid 0" })?;
    let pidfd =
        if is_pidfd_forced_off() { None } else { process::pidfd_open(pid, PidfdFlags::empty()).ok().map(Fd::from) };
    let mut child = Child { pid, pidfd, inherited_resident: own_max_resident(), group: None };
    if let Err(error) = child.restrict(plan) {
        // It has run little but the loader.
        let _ = child.signal(libc::SIGKILL);
        let _ = process::waitpid(Some(pid), process::WaitOptions::empty());
        return Err(error);
    }
    Ok(child)
}

pub(super) fn is_pidfd_forced_off() -> bool {
    std::env::var_os(FORCE_NO_PIDFD).is_some_and(|value| value == "1")
}

impl Child {
    fn restrict(&mut self, plan: &SpawnPlan) -> Result<()> {
        let group = Group::for_child(&plan.restrictions, plan.tree)?;
        super::limits::apply(self.pid, &plan.restrictions, group.as_ref())?;
        // Last, since the kernel may take some ms for it.
        self.group = match group {
            Some(group) => match group.add(self.pid()) {
                Err(error) if group.limit.is_some() => return Err(error),
                added => added.is_ok().then_some(group),
            },
            None => None,
        };
        Ok(())
    }

    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Becomes readable when the child has ended; absent on systems without pidfd, where `reap` must be tried in turn.
    pub fn exit_fd(&self) -> Option<&Fd> {
        self.pidfd.as_ref()
    }

    /// Its exit cannot be waited for: as where there is no pidfd.
    pub fn lose_exit_fd(&mut self) {
        self.pidfd = None;
    }

    /// Sends a signal to the child itself. Harmless once it has ended and is not yet reaped.
    pub fn signal(&self, number: i32) -> Result<()> {
        // SAFETY: signal numbers reach a system call that checks them; no handler of ours is involved.
        let signal = unsafe { Signal::from_raw_unchecked(number) };
        let by_number = || if self.is_ours() { process::kill_process(self.pid, signal) } else { Ok(()) };
        let sent = match &self.pidfd {
            Some(fd) => match process::pidfd_send_signal(fd, signal) {
                // Filters of system calls know the one and not the other.
                Err(Errno::NOSYS | Errno::PERM) => by_number(),
                sent => sent,
            },
            None => by_number(),
        };
        match sent {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::system("kill", error)),
        }
    }

    /// Kills what the child has started: its process group, and what has left that, where the child has a cgroup. To be
    /// called before the child is reaped: then the number of the process group is certain to be still ours.
    pub fn kill_tree(&self) {
        if let Some(group) = &self.group {
            group.kill();
        }
        if self.is_ours() {
            let _ = process::kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// How the paths of the cgroups begin that are to end with this process, if the child has such a one.
    pub fn start_of_groups(&self) -> Option<Vec<u8>> {
        self.group.as_ref().and_then(Group::start_of_paths)
    }

    /// The kernel has killed something in the child's own cgroup, for the limit that it has there.
    pub fn ran_out_of_group_memory(&self) -> bool {
        self.group.as_ref().is_some_and(Group::ran_out_of_memory)
    }

    /// False when somebody else has reaped the child: its number may be anybody's by now.
    pub fn is_ours(&self) -> bool {
        process::waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)
            .is_ok()
    }

    /// True when the child has ended; it stays a zombie until `reap`, so its pid and group are still ours.
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match process::waitid(WaitId::Pid(self.pid), options) {
            Ok(status) => status.is_some(),
            Err(_) => true,
        }
    }

    /// Waits for its end and forgets it; for one that was killed.
    pub fn wait(&self) {
        let _ = process::waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED);
    }

    /// The exit status, if the child has ended. Somebody else's reaping is an exit with unknown status.
    pub fn reap(&self) -> Option<ExitStatus> {
        let mut status = 0;
        // SAFETY: an all-zero rusage is a valid one, and only storage for the call.
        let mut used: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both places live on this stack for the length of the call.
        let reaped = unsafe { libc::wait4(self.pid(), &mut status, libc::WNOHANG, &mut used) };
        if reaped == 0 || (reaped < 0 && Errno::from_io_error(&std::io::Error::last_os_error()) == Some(Errno::INTR)) {
            return None;
        }
        if reaped < 0 {
            return Some(ExitStatus::default());
        }
        let resident = max_resident(&used);
        Some(ExitStatus {
            code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
            signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
            cpu_ns: Some(ns(used.ru_utime) + ns(used.ru_stime)),
            max_resident: Some(resident).filter(|resident| *resident > self.inherited_resident),
        })
    }
}

fn ns(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000
}

fn max_resident(used: &libc::rusage) -> u64 {
    used.ru_maxrss as u64 * 1024
}

fn own_max_resident() -> u64 {
    // SAFETY: an all-zero rusage is a valid one; the call fills it and cannot fail for this process.
    unsafe {
        let mut used: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut used);
        max_resident(&used)
    }
}

/// In a worker: the kernel kills this process when the thread that spawned it ends, idle, busy or stopped. False when the
/// parent is gone already (it then had no chance to tell us).
pub fn die_with_parent(parent: i32) -> Result<bool> {
    process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| Error::system("prctl(PR_SET_PDEATHSIG)", error))?;
    Ok(process::getppid().is_some_and(|pid| pid.as_raw_nonzero().get() == parent))
}

/// In a worker: an interrupt is for its parent, which decides what becomes of the tasks. A handler that the module installs
/// takes the place of this.
pub fn ignore_interrupts() {
    // SAFETY: sets a disposition that runs no code; whoever had one before had the default.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

/// In a worker: a thread that ends this process as soon as the other end of the line is closed. It covers what takes
/// [`die_with_parent`] back, such as another user id. What comes down the line is given to `heard`, on that thread.
pub fn watch_line(line: &Fd, mut heard: impl FnMut(&[u8]) + Send + 'static) -> Result<()> {
    let line = Line::from_fd(line.duplicate()?);
    std::thread::Builder::new()
        .name("farm-lifeline".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            let mut word = [0; LONGEST_WORD];
            let mut wanted = PollFlags::IN;
            loop {
                let mut fds = [PollFd::from_borrowed_fd(line.fd().as_fd(), wanted)];
                let polled = poll(&mut fds, None).is_ok();
                let seen = fds[0].revents();
                if polled && seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                    // SAFETY: ends the process without running anything else; nobody is left to receive a result.
                    unsafe { libc::_exit(0) };
                }
                // Nobody else reads it, so what was seen is there: this does not wait.
                if polled && seen.contains(PollFlags::IN) {
                    match line.receive(&mut word) {
                        Ok(Some((len, _))) => heard(&word[..len]),
                        Ok(None) => {}
                        // Its end is what matters.
                        Err(_) => wanted = PollFlags::empty(),
                    }
                }
            }
        })
        .map(drop)
        .map_err(|error| Error::system("thread", error))
}
