//! `posix_spawn`, never fork: the cost does not grow with the parent's memory and no stop of its threads is needed.
//!
//! The child gets an empty signal mask, default signal actions, its own process group, and exactly the descriptors named
//! in the plan (everything else of ours is close-on-exec).

use crate::{Error, Result, SpawnPlan, Stdio};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

/// Sources are first moved above this number, so that placing one never overwrites another that is still to be placed.
const SAFE_FD: i32 = 10;
/// POSIX_SPAWN_SETSID; the libc crate has it for some systems only.
const SETSID: libc::c_int = if cfg!(target_vendor = "apple") { 0x400 } else { 0x80 };

/// Descriptors that the child's table has room for from the start. A process that has threads waits for all CPUs (a grace
/// period of RCU on Linux, 5 to 15 ms) when its table grows, and a worker's descriptors would make it grow.
const ROOM: i32 = 256;

struct Attr(libc::posix_spawnattr_t);
struct Actions(libc::posix_spawn_file_actions_t);

impl Drop for Attr {
    fn drop(&mut self) {
        // SAFETY: initialised in `Attr::new`, destroyed once, here.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `Actions::new`, destroyed once, here.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

fn check(op: &'static str, code: i32) -> Result<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(Error::system(op, std::io::Error::from_raw_os_error(code)))
    }
}

impl Attr {
    fn new(session: bool) -> Result<Self> {
        // SAFETY: a zeroed value is only storage; init makes it valid before anything else reads it, and the sets are
        // filled by the libc calls made for that.
        unsafe {
            let mut attr = Attr(std::mem::zeroed());
            check("posix_spawnattr_init", libc::posix_spawnattr_init(&mut attr.0))?;
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            check("posix_spawnattr_setsigmask", libc::posix_spawnattr_setsigmask(&mut attr.0, &set))?;
            libc::sigfillset(&mut set);
            libc::sigdelset(&mut set, libc::SIGKILL);
            libc::sigdelset(&mut set, libc::SIGSTOP);
            check("posix_spawnattr_setsigdefault", libc::posix_spawnattr_setsigdefault(&mut attr.0, &set))?;
            check("posix_spawnattr_setpgroup", libc::posix_spawnattr_setpgroup(&mut attr.0, 0))?;
            // The leader of a new session leads a new group too.
            let place = if session { SETSID } else { libc::POSIX_SPAWN_SETPGROUP };
            let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | place;
            check("posix_spawnattr_setflags", libc::posix_spawnattr_setflags(&mut attr.0, flags as _))?;
            Ok(attr)
        }
    }
}

impl Actions {
    fn new() -> Result<Self> {
        // SAFETY: as in `Attr::new`.
        unsafe {
            let mut actions = Actions(std::mem::zeroed());
            check("posix_spawn_file_actions_init", libc::posix_spawn_file_actions_init(&mut actions.0))?;
            Ok(actions)
        }
    }

    fn dup2(&mut self, from: i32, to: i32) -> Result<()> {
        // SAFETY: `self.0` is initialised; the numbers are plain data, checked by the call in the child.
        check("posix_spawn_file_actions_adddup2", unsafe {
            libc::posix_spawn_file_actions_adddup2(&mut self.0, from, to)
        })
    }

    /// Grows the child's table of descriptors while nobody shares it. All descriptors have to be placed by then: the number
    /// that it takes for that may be the one of a copy.
    fn make_room(&mut self) {
        // SAFETY: `limit` is storage that the call fills; the actions are initialised, the numbers plain data. What cannot be
        // added is left out: the table then grows later.
        unsafe {
            let mut limit: libc::rlimit = std::mem::zeroed();
            if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 || limit.rlim_cur < ROOM as libc::rlim_t {
                return;
            }
            if libc::posix_spawn_file_actions_adddup2(&mut self.0, 0, ROOM - 1) == 0 {
                libc::posix_spawn_file_actions_addclose(&mut self.0, ROOM - 1);
            }
        }
    }

    fn open_null(&mut self, to: i32) -> Result<()> {
        let flags = if to == 0 { libc::O_RDONLY } else { libc::O_WRONLY };
        // SAFETY: the path is a static C string, copied by the call.
        check("posix_spawn_file_actions_addopen", unsafe {
            libc::posix_spawn_file_actions_addopen(&mut self.0, to, c"/dev/null".as_ptr(), flags, 0)
        })
    }

    fn chdir(&mut self, dir: &CString) -> Result<()> {
        // SAFETY: the path is a C string, copied by the call.
        check("posix_spawn_file_actions_addchdir", unsafe {
            libc::posix_spawn_file_actions_addchdir_np(&mut self.0, dir.as_ptr())
        })
    }
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| {
        Error::system("spawn", std::io::Error::new(std::io::ErrorKind::InvalidInput, "a NUL byte in a name"))
    })
}

fn c_strings(list: &[OsString]) -> Result<Vec<CString>> {
    list.iter().map(|text| c_string(text)).collect()
}

fn pointers(list: &[CString]) -> Vec<*mut libc::c_char> {
    list.iter().map(|text| text.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// A close-on-exec duplicate with a number of at least [`SAFE_FD`]; `None` where the descriptor is not open.
fn duplicate(fd: i32) -> Result<Option<OwnedFd>> {
    // SAFETY: fcntl on a number; a fresh descriptor that nobody else knows is owned by the result.
    unsafe {
        let copy = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, SAFE_FD);
        if copy >= 0 {
            return Ok(Some(OwnedFd::from_raw_fd(copy)));
        }
    }
    let error = std::io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EBADF) => Ok(None),
        // No number is left, for one: a child must not be started without what was meant for it.
        _ => Err(Error::system("fcntl(F_DUPFD_CLOEXEC)", error)),
    }
}

/// Starts the program and returns its pid. Returns when the child has executed the new image (or failed to).
pub fn posix_spawn(plan: &SpawnPlan) -> Result<i32> {
    let attr = Attr::new(plan.session)?;
    let mut actions = Actions::new()?;
    let mut moved: Vec<OwnedFd> = Vec::new();
    let mut place = |actions: &mut Actions, from: i32, to: i32| -> Result<()> {
        match duplicate(from)? {
            Some(copy) => {
                actions.dup2(copy.as_raw_fd(), to)?;
                moved.push(copy);
                Ok(())
            }
            None if to <= 2 => actions.open_null(to),
            None => Err(Error::system("fcntl(F_DUPFD_CLOEXEC)", std::io::Error::from_raw_os_error(libc::EBADF))),
        }
    };
    for (number, stdio) in plan.stdio.iter().enumerate() {
        let to = number as i32;
        match stdio {
            Stdio::Inherit => place(&mut actions, to, to)?,
            Stdio::Null => actions.open_null(to)?,
            Stdio::Fd(fd) => place(&mut actions, fd.raw(), to)?,
        }
    }
    for (fd, to) in &plan.pass {
        place(&mut actions, fd.raw(), *to)?;
    }
    actions.make_room();
    if let Some(dir) = &plan.program.cwd {
        actions.chdir(&c_string(dir)?)?;
    }

    let path = c_string(&plan.program.path)?;
    let mut argv = vec![plan.program.shown_as.as_deref().map_or_else(|| Ok(path.clone()), c_string)?];
    argv.extend(c_strings(&plan.program.args)?);
    let env = c_strings(&plan.program.env)?;
    let mut pid: libc::pid_t = 0;
    // SAFETY: all pointers lead to C strings and null-terminated tables that live until the call returns; attr and
    // actions are initialised; the call copies nothing beyond its return.
    let code = unsafe {
        libc::posix_spawnp(
            &mut pid,
            path.as_ptr(),
            &actions.0,
            &attr.0,
            pointers(&argv).as_ptr(),
            pointers(&env).as_ptr(),
        )
    };
    check("posix_spawn", code)?;
    Ok(pid)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::{pipe, spawn, Program, Restrictions};

    fn cat_status(write: crate::Fd, pass: Vec<(crate::Fd, i32)>) -> SpawnPlan {
        SpawnPlan {
            program: Program {
                path: "/bin/cat".into(),
                shown_as: None,
                args: vec!["/proc/self/status".into()],
                env: Vec::new(),
                cwd: None,
            },
            stdio: [Stdio::Null, Stdio::Fd(write), Stdio::Null],
            pass,
            session: false,
            tree: false,
            restrictions: Restrictions::default(),
        }
    }

    /// How many descriptors the child's table had room for, by what it printed.
    fn room_of(plan: SpawnPlan, read: &crate::Fd) -> u32 {
        let child = spawn(&plan, 0).unwrap();
        drop(plan);
        child.wait();
        let mut raw = [0; 8192];
        let len = read.read(&mut raw).unwrap().unwrap();
        let status = String::from_utf8_lossy(&raw[..len]);
        let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).expect("a line of that name").trim();
        assert!(child.reap().is_some());
        size.parse().unwrap()
    }

    #[test]
    fn a_child_has_room_for_descriptors_before_it_has_threads() {
        let (read, write) = pipe().unwrap();
        assert_eq!(room_of(cat_status(write, Vec::new()), &read), 256);
    }

    #[test]
    fn making_room_takes_no_descriptor_away_that_is_placed() {
        let (read, write) = pipe().unwrap();
        let (_other, passed) = pipe().unwrap();
        let duplicate = |fd| duplicate(fd).unwrap();
        let copy = |fd: &crate::Fd| crate::Fd::from(duplicate(fd.raw()).unwrap());
        // All below are taken, so the copies that `posix_spawn` makes have the numbers around the end of the room.
        let mut filled = vec![duplicate(0).or_else(|| duplicate(write.raw())).unwrap()];
        while filled.last().unwrap().as_raw_fd() < ROOM - 8 {
            filled.push(duplicate(write.raw()).unwrap());
        }
        for _ in 0..8 {
            let plan = cat_status(copy(&write), vec![(copy(&passed), 3)]);
            assert!(room_of(plan, &read) >= 256);
            filled.push(duplicate(write.raw()).unwrap());
        }
    }

    #[test]
    fn a_child_that_cannot_have_its_descriptors_is_not_started() {
        let (_read, write) = pipe().unwrap();
        let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: storage that the call fills; the limit is lowered for a moment, to more than other tests need.
        unsafe {
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut before), 0);
            let fewer = libc::rlimit { rlim_cur: before.rlim_cur.min(2048), ..before };
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &fewer), 0);
        }
        let started = std::thread::spawn(move || {
            // SAFETY: from here on this thread has descriptors of its own, which it alone uses up and which end with it.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
            let plan = cat_status(write, Vec::new());
            let Stdio::Fd(write) = &plan.stdio[1] else { unreachable!() };
            let mut filled = Vec::new();
            while let Ok(Some(copy)) = duplicate(write.raw()) {
                filled.push(copy);
            }
            posix_spawn(&plan)
        })
        .join()
        .unwrap();
        // SAFETY: plain data.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &before) }, 0);
        let Err(Error::System { source, .. }) = started else { panic!("{started:?}") };
        assert_eq!(source.raw_os_error(), Some(libc::EMFILE));
    }
}
