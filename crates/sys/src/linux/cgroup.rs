//! A cgroup (v2) of its own for a child, where this process may make one (`cgroup_place`). It also holds what the child
//! starts: to limits, and together, so that all of it can be ended at once. Where there is none, others watch.
//!
//! A group is named after the process that made it. It goes with its child; if that is not possible yet, later
//! (`clear_groups`), and if its maker is gone, by the maker's guard (`end_groups`) or by the next process that makes one.

use super::cgroup_place::{for_limits, for_trees};
use crate::groups::CGROUP_FOLDERS;
use crate::{Error, Restrictions, Result};
use rustix::event::{poll, PollFd, PollFlags};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The period of a share of CPU, µs.
const PERIOD: u64 = 100_000;
/// How long what was killed may take to be gone before its group is left to others.
const PATIENCE: Duration = Duration::from_secs(10);
/// The kernel tells when a group is empty; should it not, this is when to look again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Groups whose last process had not gone when they were to be removed.
static LEFT: Mutex<Vec<Left>> = Mutex::new(Vec::new());
/// How many of them will be empty soon, since all in them was killed.
static ENDING: AtomicUsize = AtomicUsize::new(0);
/// Folders in which this process has made groups that end with it.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Left {
    path: PathBuf,
    killed: bool,
}

#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
    /// The first limit that is written there, by the name of its option: a child outside of it would be without it.
    pub limit: Option<&'static str>,
    pub limits_processes: bool,
    /// What is in it ends with the child, and with this process.
    tree: bool,
}

/// Controller, file and content for each limit that a group can carry.
fn wanted(limits: &Restrictions) -> Vec<(&'static str, &'static str, String)> {
    let mut list = Vec::new();
    if let Some(bytes) = limits.group_memory {
        list.push(("memory", "memory.max", bytes.to_string()));
        list.push(("memory", "memory.oom.group", "1".into()));
    }
    if let Some(share) = limits.group_cpu {
        list.push(("cpu", "cpu.max", format!("{} {PERIOD}", (share * PERIOD as f64).ceil().max(1000.0))));
    }
    if let Some(most) = limits.processes {
        list.push(("pids", "pids.max", most.to_string()));
    }
    list
}

fn option_of(file: &str) -> &'static str {
    match file {
        "cpu.max" => "cpu",
        "pids.max" => "processes",
        _ => "memory",
    }
}

/// True where a group would limit processes instead of the user's rlimit.
pub(super) fn can_limit_processes() -> bool {
    for_limits().is_some_and(|place| has(&place.controllers, "pids"))
}

fn has(controllers: &str, name: &str) -> bool {
    controllers.split_ascii_whitespace().any(|controller| controller == name)
}

impl Group {
    /// `None` where none can be made, or would be of no use. `tree`: what the child starts is to end with it.
    pub fn for_child(limits: &Restrictions, tree: bool) -> Result<Option<Group>> {
        let mut files = wanted(limits);
        if let Some(place) = (!files.is_empty()).then(for_limits).flatten() {
            files.retain(|(controller, ..)| has(&place.controllers, controller));
            if !files.is_empty() {
                let made = Group::create(&place.folder, tree, &files);
                return made.map(Some).map_err(|(file, error)| Error::Limit {
                    limit: option_of(file),
                    why: format!("{file} of a cgroup below {}: {error}", place.folder.display()),
                });
            }
        }
        let place = tree.then(for_trees).flatten();
        // One that cannot be made is one that is not delegated.
        Ok(place.and_then(|place| Group::create(&place.folder, true, &[]).ok()))
    }

    fn create(
        folder: &Path,
        tree: bool,
        files: &[(&'static str, &'static str, String)],
    ) -> std::result::Result<Group, (&'static str, io::Error)> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let known = know(folder);
        let tree = tree && known;
        if !tree && files.is_empty() {
            return Err(("folder", ErrorKind::QuotaExceeded.into()));
        }
        let name = format!("{}{}", name(tree), NEXT.fetch_add(1, Relaxed));
        let path = folder.join(name);
        fs::create_dir(&path).map_err(|error| ("folder", error))?;
        let limits_processes = files.iter().any(|(_, file, _)| *file == "pids.max");
        // One that cannot be killed as a whole (Linux before 5.14) ends when its last process does.
        let tree = tree && path.join("cgroup.kill").exists();
        let limit = files.first().map(|(_, file, _)| option_of(file));
        let group = Group { path, limit, limits_processes, tree };
        for (_, file, content) in files {
            fs::write(group.path.join(file), content).map_err(|error| (*file, error))?;
        }
        Ok(group)
    }

    pub fn add(&self, pid: i32) -> Result<()> {
        fs::write(self.path.join("cgroup.procs"), pid.to_string()).map_err(|error| Error::Limit {
            limit: self.limit.unwrap_or("memory"),
            why: format!("{}: {error}", self.path.display()),
        })
    }

    /// The kernel has killed something in it for its memory limit.
    pub fn ran_out_of_memory(&self) -> bool {
        let events = fs::read_to_string(self.path.join("memory.events")).unwrap_or_default();
        events.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    }

    /// How the paths of all groups begin that end with this process as this one does. `None` if it does not.
    pub fn start_of_paths(&self) -> Option<Vec<u8>> {
        let folder = self.path.parent().filter(|_| self.tree)?;
        Some(folder.join(name(true)).as_os_str().as_bytes().to_vec())
    }

    /// Ends all that is left in it.
    pub fn kill(&self) {
        kill(&self.path);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(mut left) = LEFT.lock() {
            left.push(Left { path: std::mem::take(&mut self.path), killed: self.tree });
            clear(&mut left);
        }
    }
}

/// Tries again to remove the groups of children that are gone. True when all are whose processes were killed.
pub fn clear_groups() -> bool {
    if ENDING.load(Relaxed) > 0 {
        if let Ok(mut left) = LEFT.lock() {
            clear(&mut left);
        }
    }
    ENDING.load(Relaxed) == 0
}

fn clear(left: &mut Vec<Left>) {
    left.retain(|group| !remove(&group.path));
    ENDING.store(left.iter().filter(|group| group.killed).count(), Relaxed);
}

/// How the names of this process's groups begin. The time of its start tells it from an earlier process of its number.
fn name(tree: bool) -> &'static str {
    static NAMES: OnceLock<[String; 2]> = OnceLock::new();
    let [other, tree_name] = NAMES.get_or_init(|| {
        let pid = std::process::id();
        let since = started(pid).unwrap_or(0);
        [format!("farm-{pid}-{since}-"), format!("farm-{pid}-{since}-tree-")]
    });
    if tree {
        tree_name
    } else {
        other
    }
}

/// When a process was started, in clock ticks since the machine was.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&stat);
    text[text.rfind(')')? + 1..].split_ascii_whitespace().nth(19)?.parse().ok()
}

/// On the first group in a folder, removes what processes that are gone have left there. False when these are more folders
/// than the guard can be told of.
fn know(folder: &Path) -> bool {
    let Ok(mut folders) = FOLDERS.lock() else { return false };
    if folders.iter().any(|known| known == folder) {
        return true;
    }
    sweep(folder);
    if folders.len() < CGROUP_FOLDERS {
        folders.push(folder.into());
        return true;
    }
    false
}

/// Only what is empty: somebody whom we do not see, in another namespace, may still use the rest.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(|name| {
            let mut parts = name.strip_prefix("farm-")?.split('-');
            Some((parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u64>().ok()?))
        });
        if maker.is_some_and(|(pid, since)| started(pid) != Some(since)) {
            remove(&entry.path());
        }
    }
}

fn kill(path: &Path) {
    let _ = fs::write(path.join("cgroup.kill"), "1");
}

fn is_populated(path: &Path) -> bool {
    let events = fs::read_to_string(path.join("cgroup.events")).unwrap_or_default();
    events.lines().any(|line| line == "populated 1")
}

/// Removes a group with those that were made in it. False while something in it lives.
fn remove(path: &Path) -> bool {
    match fs::remove_dir(path) {
        Ok(()) => true,
        // Not ours any more: nothing will change that.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => true,
        Err(_) if is_populated(path) => false,
        Err(_) => {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    remove(&entry.path());
                }
            }
            fs::remove_dir(path).is_ok()
        }
    }
}

/// In a guard: ends all that is in the groups whose paths begin so, and removes these groups.
pub fn end_groups(start_of_paths: &[u8]) {
    let start = Path::new(std::ffi::OsStr::from_bytes(start_of_paths));
    let (Some(folder), Some(start)) = (start.parent(), start.file_name()) else { return };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().as_bytes().starts_with(start.as_bytes()));
    let groups: Vec<PathBuf> = ours.map(|entry| entry.path()).collect();
    groups.iter().for_each(|group| kill(group));
    let until = Instant::now() + PATIENCE;
    for group in &groups {
        while !remove(group) && Instant::now() < until {
            wait_for_end(group);
        }
    }
}

/// Returns when the last process of a group has ended, or after a while.
fn wait_for_end(group: &Path) {
    let Ok(events) = File::open(group.join("cgroup.events")) else { return };
    // What is news begins with what was read last.
    let text = io::read_to_string(&events).unwrap_or_default();
    if text.lines().any(|line| line == "populated 1") {
        let time = LOOK_AGAIN.try_into().ok();
        let _ = poll(&mut [PollFd::new(&events, PollFlags::PRI)], time.as_ref());
    }
}

#[cfg(test)]
#[path = "cgroup_tests.rs"]
mod tests;
