//! Groups in a folder that stands in for the kernel's, and in the kernel's own where there is one.

use super::*;
use std::io::Write;
use std::process::{Child, Command, Stdio};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("farm-cgroup-{name}-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    folder
}

fn limits() -> Restrictions {
    Restrictions { group_memory: Some(1 << 30), group_cpu: Some(0.25), processes: Some(20), ..Default::default() }
}

/// In a folder that stands in for the kernel's.
#[test]
fn the_files_of_each_limit() {
    let folder = folder("limits");
    let group = Group::create(&folder, true, &wanted(&limits())).unwrap();
    let content = |file: &str| fs::read_to_string(group.path.join(file)).unwrap();
    assert_eq!(content("memory.max"), "1073741824");
    assert_eq!(content("memory.oom.group"), "1");
    assert_eq!(content("cpu.max"), "25000 100000");
    assert_eq!(content("pids.max"), "20");
    assert!(group.limit == Some("memory") && group.limits_processes);
    assert!(!group.ran_out_of_memory());
    fs::write(group.path.join("memory.events"), "oom 1\noom_kill 2\noom_group_kill 1\n").unwrap();
    assert!(group.ran_out_of_memory());
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_child_that_cannot_be_moved_is_told_by_its_limit() {
    let folder = folder("refuses");
    let share = Restrictions { group_cpu: Some(0.5), ..Default::default() };
    let group = Group::create(&folder, true, &wanted(&share)).unwrap();
    fs::create_dir(group.path.join("cgroup.procs")).unwrap();
    let error = group.add(1).unwrap_err().to_string();
    assert!(error.starts_with("limits.cpu cannot be enforced here"), "{error}");
    drop(group);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_kernel_takes_the_files_of_each_limit() {
    let Some(folder) = KernelsOwn::new("limits") else { return };
    let controllers = fs::read_to_string(folder.0.join("cgroup.controllers")).unwrap();
    if !["memory", "cpu", "pids"].iter().all(|name| has(&controllers, name)) {
        println!("skipped: groups here have the controllers [{}], not memory, cpu and pids", controllers.trim());
        return;
    }
    fs::write(folder.0.join("cgroup.subtree_control"), "+memory +cpu +pids").unwrap();
    let group = Group::create(&folder.0, true, &wanted(&limits())).unwrap();
    let content = |file: &str| fs::read_to_string(group.path.join(file)).unwrap();
    assert_eq!(content("memory.max").trim(), "1073741824");
    assert_eq!(content("memory.oom.group").trim(), "1");
    assert_eq!(content("cpu.max").trim(), "25000 100000");
    assert_eq!(content("pids.max").trim(), "20");
    let status = shell(&group, "for n in $(seq 30); do sleep 1000 & done; exit 0").wait().unwrap();
    assert!(!status.success(), "more processes than there may be: {status}");
    assert!(!group.ran_out_of_memory());
}

#[test]
fn nothing_to_limit_and_nothing_to_end_makes_no_group() {
    let limits = Restrictions { nice: Some(3), files: Some(99), ..Default::default() };
    assert!(Group::for_child(&limits, false).unwrap().is_none());
}

#[test]
fn what_dead_makers_left_goes_when_it_is_empty() {
    let folder = folder("sweep");
    let pid = std::process::id();
    let since = started(pid).unwrap();
    let stays = [format!("farm-{pid}-{since}-tree-7"), "farm-test".into(), format!("{pid}"), format!("farm-{pid}")];
    // The number of a process that is there, but was not then; and one that is not.
    let goes = [format!("farm-{pid}-{}-tree-1", since - 1), format!("farm-{}-1-2", u32::MAX)];
    let populated = format!("farm-{}-1-3", u32::MAX);
    for name in stays.iter().chain(&goes).chain([&populated]) {
        fs::create_dir(folder.join(name)).unwrap();
    }
    fs::write(folder.join(&populated).join("cgroup.events"), "populated 1\nfrozen 0\n").unwrap();
    sweep(&folder);
    for name in stays.iter().chain([&populated]) {
        assert!(folder.join(name).exists(), "{name}");
    }
    for name in goes {
        assert!(!folder.join(&name).exists(), "{name}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// A group of the kernel's to make others in.
struct KernelsOwn(PathBuf);

impl KernelsOwn {
    /// `None` where this user may not.
    fn new(name: &str) -> Option<Self> {
        let own = super::super::cgroup_mount::own(super::super::cgroup_mount::V2);
        let folder = own.first()?.mount.join(format!("farm-test-{name}-{}", std::process::id()));
        match fs::create_dir(&folder) {
            Ok(()) => Some(KernelsOwn(folder)),
            Err(error) => {
                println!("skipped: no cgroup can be made here: {error}");
                None
            }
        }
    }
}

impl Drop for KernelsOwn {
    fn drop(&mut self) {
        kill(&self.0);
        until(|| remove(&self.0));
    }
}

/// A shell that does this once it is in the group.
fn shell(group: &Group, script: &str) -> Child {
    let mut child =
        Command::new("sh").args(["-c", &format!("read go; {script}")]).stdin(Stdio::piped()).spawn().unwrap();
    group.add(child.id() as i32).unwrap();
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    child
}

fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_process_is_moved_killed_and_its_group_removed_with_those_in_it() {
    let Some(folder) = KernelsOwn::new("drop") else { return };
    let group = Group::create(&folder.0, true, &[]).unwrap();
    let path = group.path.clone();
    fs::create_dir(path.join("of-its-own")).unwrap();
    let mut child = shell(&group, "setsid sleep 1000 & sleep 1000");
    let of_child = fs::read_to_string(format!("/proc/{}/cgroup", child.id())).unwrap();
    assert!(of_child.contains(&*format!("/{}", path.file_name().unwrap().to_str().unwrap())), "{of_child}");
    drop(group);
    assert!(path.exists() && !clear_groups());
    kill(&path);
    child.wait().unwrap();
    until(clear_groups);
    assert!(!path.exists());
}

#[test]
fn a_guard_ends_the_groups_it_is_told_of_and_no_others() {
    let Some(folder) = KernelsOwn::new("guard") else { return };
    let make = |tree| {
        let group = Group::create(&folder.0, tree, &[("cgroup", "cgroup.max.depth", "1".into())]).unwrap();
        let child = shell(&group, "setsid sleep 1000 & sleep 1000");
        (group, child)
    };
    let (tree, mut ended) = make(true);
    let (other, mut stays) = make(false);
    assert_eq!(other.start_of_paths(), None);
    end_groups(&tree.start_of_paths().unwrap());
    ended.wait().unwrap();
    assert!(!tree.path.exists());
    assert!(stays.try_wait().unwrap().is_none() && is_populated(&other.path));
    kill(&other.path);
    stays.wait().unwrap();
}
