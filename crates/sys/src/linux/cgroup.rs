//! A cgroup (v2) of its own for a child, where this process may make one: below its own cgroup or beside it, as systemd
//! and container runtimes delegate them. It also counts what the child starts. Where there is none, others watch.

use crate::{Error, Restrictions, Result};
use rustix::fs::{access, Access};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Mutex;

/// Set to `1`, this environment variable makes no cgroup be found, as where none is delegated.
const FORCE_NO_CGROUP: &str = "FARM_FORCE_NO_CGROUP";
/// The period of a share of CPU, µs.
const PERIOD: u64 = 100_000;

/// Groups whose last process had not gone when they were to be removed.
static LEFT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
    pub limits_processes: bool,
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

/// True where a group would limit processes instead of the user's rlimit.
pub(super) fn can_limit_processes() -> bool {
    place().is_some_and(|(_, controllers)| controllers.contains("pids"))
}

/// The folder for groups of ours, and the controllers they have.
fn place() -> Option<(PathBuf, String)> {
    if std::env::var_os(FORCE_NO_CGROUP).is_some_and(|value| value == "1") {
        return None;
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mount = mounts.lines().find_map(mount_of_v2)?;
    let own = Path::new(mount).join(own.trim_start_matches('/'));
    let beside = own.parent().filter(|parent| parent.starts_with(mount)).map(Path::to_path_buf);
    [Some(own), beside].into_iter().flatten().find_map(|folder| {
        let controllers = fs::read_to_string(folder.join("cgroup.subtree_control")).ok()?;
        let writable = |path: &Path| access(path, Access::WRITE_OK).is_ok();
        // To move a process takes the right to write here, where its old and its new group meet.
        let ours = !controllers.trim().is_empty() && writable(&folder) && writable(&folder.join("cgroup.procs"));
        ours.then_some((folder, controllers))
    })
}

/// Where the line of mountinfo says that cgroup v2 is.
fn mount_of_v2(line: &str) -> Option<&str> {
    let (left, right) = line.split_once(" - ")?;
    right.starts_with("cgroup2 ").then(|| left.split(' ').nth(4)).flatten()
}

impl Group {
    /// `None` where none can be made, or would limit nothing.
    pub fn for_child(limits: &Restrictions) -> Result<Option<Group>> {
        let wanted = wanted(limits);
        if wanted.is_empty() {
            return Ok(None);
        }
        let Some((folder, controllers)) = place() else { return Ok(None) };
        let has = |name: &str| controllers.split_ascii_whitespace().any(|controller| controller == name);
        let files: Vec<_> = wanted.into_iter().filter(|(controller, ..)| has(controller)).collect();
        if files.is_empty() {
            return Ok(None);
        }
        sweep(&folder);
        Group::create(&folder, &files).map(Some).map_err(|(file, error)| Error::Limit {
            limit: match file {
                "cpu.max" => "cpu",
                "pids.max" => "processes",
                _ => "memory",
            },
            why: format!("{file} of a cgroup below {}: {error}", folder.display()),
        })
    }

    fn create(
        folder: &Path,
        files: &[(&'static str, &'static str, String)],
    ) -> std::result::Result<Group, (&'static str, std::io::Error)> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let path = folder.join(format!("farm-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed)));
        fs::create_dir(&path).map_err(|error| ("folder", error))?;
        let limits_processes = files.iter().any(|(_, file, _)| *file == "pids.max");
        let group = Group { path, limits_processes };
        for (_, file, content) in files {
            fs::write(group.path.join(file), content).map_err(|error| (*file, error))?;
        }
        Ok(group)
    }

    pub fn add(&self, pid: i32) -> Result<()> {
        fs::write(self.path.join("cgroup.procs"), pid.to_string())
            .map_err(|error| Error::Limit { limit: "memory", why: format!("{}: {error}", self.path.display()) })
    }

    /// The kernel has killed something in it for its memory limit.
    pub fn ran_out_of_memory(&self) -> bool {
        let events = fs::read_to_string(self.path.join("memory.events")).unwrap_or_default();
        events.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    }

    /// Ends all that is left in it.
    pub fn kill(&self) {
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Ok(mut left) = LEFT.lock() else { return };
        left.push(std::mem::take(&mut self.path));
        left.retain(|path| fs::remove_dir(path).is_err_and(|error| error.kind() != std::io::ErrorKind::NotFound));
    }
}

/// Removes what processes that are gone have left.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("farm-")?.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_files_of_each_limit() {
        let limits = Restrictions {
            group_memory: Some(1 << 30),
            group_cpu: Some(0.25),
            processes: Some(20),
            ..Default::default()
        };
        let folder = std::env::temp_dir().join(format!("farm-cgroup-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let group = Group::create(&folder, &wanted(&limits)).unwrap();
        let content = |file: &str| fs::read_to_string(group.path.join(file)).unwrap();
        assert_eq!(content("memory.max"), "1073741824");
        assert_eq!(content("memory.oom.group"), "1");
        assert_eq!(content("cpu.max"), "25000 100000");
        assert_eq!(content("pids.max"), "20");
        assert!(group.limits_processes);
        assert!(!group.ran_out_of_memory());
        fs::write(group.path.join("memory.events"), "oom 1\noom_kill 2\noom_group_kill 1\n").unwrap();
        assert!(group.ran_out_of_memory());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn nothing_to_limit_makes_no_group() {
        assert!(Group::for_child(&Restrictions { nice: Some(3), files: Some(99), ..Default::default() })
            .unwrap()
            .is_none());
    }

    #[test]
    fn the_mount_is_found_among_others() {
        let v1 = "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
        let v2 = "42 24 0:38 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!([v1, v2].into_iter().find_map(mount_of_v2), Some("/sys/fs/cgroup/unified"));
    }

    /// On the real file system, where this user may make a group there; without limits, which need a controller.
    #[test]
    fn a_process_is_moved_killed_and_its_group_removed() {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let Some(mount) = mounts.lines().find_map(mount_of_v2) else { return };
        let Ok(group) = Group::create(Path::new(mount), &[]) else { return };
        let path = group.path.clone();
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        group.add(child.id() as i32).unwrap();
        let of_child = fs::read_to_string(format!("/proc/{}/cgroup", child.id())).unwrap();
        assert!(of_child.lines().any(|line| line.starts_with("0::/farm-")), "{of_child}");
        group.kill();
        child.wait().unwrap();
        drop(group);
        assert!(!path.exists());
    }
}
