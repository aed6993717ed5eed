//! Where this process may make cgroups (v2) of its own. Changes nothing.

use super::cgroup_mount::{own, Own, V2};
use rustix::fs::{access, getxattr, Access};
use std::fs;
use std::path::{Path, PathBuf};

/// Set to `1`, this environment variable makes no cgroup be found, as where none is delegated.
const FORCE_NO_CGROUP: &str = "FARM_FORCE_NO_CGROUP";
/// What systemd marks the groups with that it leaves to somebody: for all to read, and for its own kind.
const DELEGATED: [&str; 2] = ["user.delegate", "trusted.delegate"];

/// A folder in which this process may make groups.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    pub folder: PathBuf,
    /// Those that groups in it have.
    pub controllers: String,
}

/// For groups that shall hold a child to limits: where there are controllers, in the own group or beside it.
pub(super) fn for_limits() -> Option<Place> {
    visible().iter().find_map(limits_near)
}

/// For groups that shall only hold together what a child starts: in the own one, which needs no controllers.
pub(super) fn for_trees() -> Option<Place> {
    visible().iter().find_map(trees_in)
}

fn visible() -> Vec<Own> {
    if std::env::var_os(FORCE_NO_CGROUP).is_some_and(|value| value == "1") {
        return Vec::new();
    }
    own(V2)
}

fn limits_near(own: &Own) -> Option<Place> {
    let beside = own.upward().nth(1).filter(|folder| is_left_to_us(folder, &own.mount));
    // A group that gets no controllers limits nothing.
    let useful = |folder: &Path| place(folder).filter(|place| !place.controllers.is_empty());
    useful(&own.folder).or_else(|| beside.and_then(useful))
}

fn trees_in(own: &Own) -> Option<Place> {
    // Neither is there in the root of the hierarchy, which is nobody's, and the first not before Linux 5.14.
    let killable = own.folder.join("cgroup.kill").exists();
    let plain = fs::read_to_string(own.folder.join("cgroup.type")).is_ok_and(|kind| kind.trim() == "domain");
    place(&own.folder).filter(|_| killable && plain && !limits_heaps(&own.folder))
}

/// Node.js makes its heap as large as the memory limit of its own group allows, and looks no further up: in a group below this
/// one, which has no such file, it would take the whole machine for its own.
fn limits_heaps(folder: &Path) -> bool {
    let limit = |file: &str| fs::read_to_string(folder.join(file)).is_ok_and(|text| text.trim().parse::<u64>().is_ok());
    limit("memory.max") || limit("memory.high")
}

/// None where this process may not make groups, or not move processes into them.
fn place(folder: &Path) -> Option<Place> {
    let writable = |path: &Path| access(path, Access::WRITE_OK).is_ok();
    // To move a process takes the right to write here, where its old and its new group meet.
    if !writable(folder) || !writable(&folder.join("cgroup.procs")) {
        return None;
    }
    let controllers = fs::read_to_string(folder.join("cgroup.subtree_control")).ok()?;
    Some(Place { folder: folder.into(), controllers: controllers.trim().into() })
}

/// Whether a group above our own is ours to use. Root may write to all of them: there it takes a word, or that it is the
/// first that we can see, as in a container; never the root of all.
fn is_left_to_us(folder: &Path, mount: &Path) -> bool {
    if !rustix::process::geteuid().is_root() {
        return true;
    }
    let marked = |name: &&str| getxattr(folder, *name, &mut [0; 8][..]).is_ok_and(|len| len > 0);
    (folder == mount && folder.join("cgroup.type").exists()) || DELEGATED.iter().any(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree that stands in for the kernel's: `mount` with `above` in it, and in that the group of this process.
    struct Tree {
        mount: PathBuf,
        own: Own,
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.mount);
        }
    }

    fn tree(name: &str) -> Tree {
        let mount = std::env::temp_dir().join(format!("farm-place-{name}-{}", std::process::id()));
        let folder = mount.join("above/own");
        fs::create_dir_all(&folder).unwrap();
        let tree = Tree { own: Own { folder, mount: mount.clone() }, mount };
        for folder in tree.own.upward() {
            fs::write(folder.join("cgroup.subtree_control"), "").unwrap();
            fs::write(folder.join("cgroup.procs"), "").unwrap();
        }
        tree
    }

    fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    #[test]
    fn limits_are_where_controllers_are() {
        let tree = tree("limits");
        let control = |folder: &Path, names: &str| fs::write(folder.join("cgroup.subtree_control"), names).unwrap();
        let above = tree.own.folder.parent().unwrap();
        assert_eq!(limits_near(&tree.own), None);
        control(above, "cpu memory pids\n");
        control(&tree.mount, "cpu memory pids\n");
        let found = limits_near(&tree.own).map(|place| place.folder);
        // Root might write there, but nobody has said that it may.
        assert_eq!(found, (!is_root()).then(|| above.to_path_buf()));
        control(&tree.own.folder, "memory\n");
        let place = limits_near(&tree.own).unwrap();
        assert_eq!(place, Place { folder: tree.own.folder.clone(), controllers: "memory".into() });
    }

    #[test]
    fn in_a_container_what_is_above_is_its_own() {
        let tree = tree("container");
        let above = tree.own.folder.parent().unwrap();
        fs::write(above.join("cgroup.subtree_control"), "pids\n").unwrap();
        fs::write(above.join("cgroup.type"), "domain\n").unwrap();
        let own = Own { folder: tree.own.folder.clone(), mount: above.into() };
        assert_eq!(limits_near(&own).unwrap().folder, above);
        // And nothing above that.
        let own = Own { folder: above.into(), mount: above.into() };
        fs::write(above.join("cgroup.subtree_control"), "\n").unwrap();
        fs::write(tree.mount.join("cgroup.subtree_control"), "pids\n").unwrap();
        assert_eq!(limits_near(&own), None);
    }

    #[test]
    fn what_is_started_is_held_together_in_the_own_group() {
        let tree = tree("trees");
        let file = |name: &str, content: &str| fs::write(tree.own.folder.join(name), content).unwrap();
        assert_eq!(trees_in(&tree.own), None, "the root of the hierarchy");
        file("cgroup.type", "domain\n");
        assert_eq!(trees_in(&tree.own), None, "an old kernel");
        file("cgroup.kill", "");
        assert_eq!(trees_in(&tree.own).unwrap().folder, tree.own.folder);
        file("memory.max", "max\n");
        file("memory.high", "max\n");
        assert!(trees_in(&tree.own).is_some());
        file("memory.max", "1073741824\n");
        assert_eq!(trees_in(&tree.own), None, "it would hide the limit from Node.js");
        file("memory.max", "max\n");
        file("cgroup.type", "threaded\n");
        assert_eq!(trees_in(&tree.own), None, "a group of threads");
        file("cgroup.type", "domain\n");
        fs::remove_file(tree.own.folder.join("cgroup.procs")).unwrap();
        assert_eq!(trees_in(&tree.own), None, "nobody can be moved");
    }
}
