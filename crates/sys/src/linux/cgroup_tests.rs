//! Groups in a folder that stands in for the kernel's, and in the kernel's own where there is one.

use super::*;
use std::io::Write;
use std::process::{Child, Command, Stdio};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("farm-cgroup-{name}-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn the_files_of_each_limit() {
    let limits =
        Restrictions { group_memory: Some(1 << 30), group_cpu: Some(0.25), processes: Some(20), ..Default::default() };
    let folder = folder("limits");
    let group = Group::create(&folder, true, &wanted(&limits)).unwrap();
    let content = |file: &str| fs::read_to_string(group.path.join(file)).unwrap();
    assert_eq!(content("memory.max"), "1073741824");
    assert_eq!(content("memory.oom.group"), "1");
    assert_eq!(content("cpu.max"), "25000 100000");
    assert_eq!(content("pids.max"), "20");
    assert!(group.limits && group.limits_processes);
    assert!(!group.ran_out_of_memory());
    fs::write(group.path.join("memory.events"), "oom 1\noom_kill 2\noom_group_kill 1\n").unwrap();
    assert!(group.ran_out_of_memory());
    fs::remove_dir_all(&folder).unwrap();
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

/// A group of the kernel's to make others in; `None` where this user may not.
fn kernels_own(name: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?.split(' ').nth(4)?;
    let folder = Path::new(mount).join(format!("farm-test-{name}-{}", std::process::id()));
    match fs::create_dir(&folder) {
        Ok(()) => Some(folder),
        Err(error) => {
            println!("skipped: no cgroup can be made in {mount}: {error}");
            None
        }
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
    let Some(folder) = kernels_own("drop") else { return };
    let group = Group::create(&folder, true, &[]).unwrap();
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
    fs::remove_dir(&folder).unwrap();
}

#[test]
fn a_guard_ends_the_groups_it_is_told_of_and_no_others() {
    let Some(folder) = kernels_own("guard") else { return };
    let make = |tree| {
        let group = Group::create(&folder, tree, &[("cgroup", "cgroup.max.depth", "1".into())]).unwrap();
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
    until(|| remove(&other.path));
    drop((tree, other));
    fs::remove_dir(&folder).unwrap();
}
