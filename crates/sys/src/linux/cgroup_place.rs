//! Where this process is among the cgroups (v2), and where it may make groups of its own. Says so from what the kernel
//! lists, wherever the hierarchy is mounted and whatever part of it; changes nothing.

use rustix::fs::{access, getxattr, Access};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

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

/// The group of this process, at one mount of the hierarchy.
#[derive(Debug, PartialEq)]
struct Own {
    folder: PathBuf,
    mount: PathBuf,
}

/// For groups that shall hold a child to limits: where there are controllers, in the own group or beside it.
pub(super) fn for_limits() -> Option<Place> {
    own().iter().find_map(|own| {
        let beside = own.folder.parent().filter(|parent| parent.starts_with(&own.mount));
        let beside = beside.filter(|parent| is_left_to_us(parent, &own.mount));
        [Some(own.folder.as_path()), beside].into_iter().flatten().find_map(place).filter(|place| {
            // Those of a group without any limit nothing.
            !place.controllers.is_empty()
        })
    })
}

/// For groups that shall only hold together what a child starts: in the own one, which needs no controllers.
pub(super) fn for_trees() -> Option<Place> {
    own().iter().map(|own| &own.folder).find_map(|folder| {
        // Neither is there in the root of the hierarchy, which is nobody's, and the first not before Linux 5.14.
        let killable = folder.join("cgroup.kill").exists();
        let plain = fs::read_to_string(folder.join("cgroup.type")).is_ok_and(|kind| kind.trim() == "domain");
        if killable && plain {
            place(folder)
        } else {
            None
        }
    })
}

/// None where this process may not make groups, or not move processes into them.
fn place(folder: &Path) -> Option<Place> {
    let controllers = fs::read_to_string(folder.join("cgroup.subtree_control")).ok()?;
    let writable = |path: &Path| access(path, Access::WRITE_OK).is_ok();
    // To move a process takes the right to write here, where its old and its new group meet.
    let ours = writable(folder) && writable(&folder.join("cgroup.procs"));
    ours.then(|| Place { folder: folder.into(), controllers: controllers.trim().into() })
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

fn own() -> Vec<Own> {
    if std::env::var_os(FORCE_NO_CGROUP).is_some_and(|value| value == "1") {
        return Vec::new();
    }
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    own_in(&read("cgroup"), || read("mountinfo"))
}

/// The group of a process by its `cgroup` file, at each mount that shows it.
fn own_in(groups: &str, mounts: impl FnOnce() -> String) -> Vec<Own> {
    // Without v2 there is no such line.
    let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::")) else { return Vec::new() };
    let own = Path::new(own);
    if own.components().any(|part| part == Component::ParentDir) {
        // Outside of what the namespace shows.
        return Vec::new();
    }
    let at = |line: &str| {
        let (root, mount) = mount_of_v2(line)?;
        let rest = own.strip_prefix(root).ok()?;
        Some(Own { folder: mount.components().chain(rest.components()).collect(), mount })
    };
    mounts().lines().filter_map(at).collect()
}

/// Which group a line of mountinfo says to be mounted, and where.
fn mount_of_v2(line: &str) -> Option<(PathBuf, PathBuf)> {
    let (left, right) = line.split_once(" - ")?;
    let mut fields = left.split(' ').skip(3).map(unescaped);
    right.starts_with("cgroup2 ").then(|| fields.next().zip(fields.next())).flatten()
}

/// Blanks, tabs, newlines and backslashes stand there as three octal digits.
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match code.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[3..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
    const HYBRID: &str = "41 31 0:38 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
    const PART: &str = "42 24 0:38 /docker/ab /sys/fs/a\\040group ro shared:9 master:3 - cgroup2 cgroup rw";

    fn own_at(groups: &str, mounts: &[&str]) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        own_in(groups, || mounts.join("\n")).into_iter().map(|own| (text(own.folder), text(own.mount))).collect()
    }

    fn pair(folder: &str, mount: &str) -> (String, String) {
        (folder.into(), mount.into())
    }

    #[test]
    fn the_hierarchy_is_found_wherever_it_is() {
        let mount = "/sys/fs/cgroup/unified";
        let hybrid = "9:name=systemd:/\n4:memory:/some\n0::/a/b\n";
        assert_eq!(own_at(hybrid, &[V1, HYBRID]), [pair("/sys/fs/cgroup/unified/a/b", mount)]);
        assert_eq!(own_at("0::/\n", &[HYBRID]), [pair(mount, mount)]);
        assert_eq!(own_at("0::/a/b\n", &[V1]), []);
        assert_eq!(own_at("4:memory:/some\n", &[V1, HYBRID]), []);
    }

    #[test]
    fn a_part_of_it_is_where_its_mount_begins() {
        assert_eq!(own_at("0::/docker/ab/init", &[PART]), [pair("/sys/fs/a group/init", "/sys/fs/a group")]);
        assert_eq!(own_at("0::/docker/ab", &[PART]), [pair("/sys/fs/a group", "/sys/fs/a group")]);
        assert_eq!(own_at("0::/docker/abc", &[PART]), []);
        assert_eq!(own_at("0::/../other", &[HYBRID]), []);
    }

    #[test]
    fn names_are_read_as_they_are() {
        assert_eq!(unescaped(r"/a\040b\134\011c"), Path::new("/a b\\\tc"));
        assert_eq!(unescaped(r"/a\9\04"), Path::new(r"/a\9\04"));
    }

    #[test]
    fn nobody_but_its_owner_uses_a_group_without_the_right() {
        let folder = std::env::temp_dir().join(format!("farm-place-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        assert_eq!(place(&folder), None);
        fs::write(folder.join("cgroup.subtree_control"), "cpu memory pids\n").unwrap();
        fs::write(folder.join("cgroup.procs"), "").unwrap();
        assert_eq!(place(&folder).unwrap().controllers, "cpu memory pids");
        let root = rustix::process::geteuid().is_root();
        assert_eq!(is_left_to_us(&folder, Path::new("/tmp")), !root);
        assert_eq!(is_left_to_us(&folder, &folder), !root);
        fs::write(folder.join("cgroup.type"), "domain\n").unwrap();
        assert!(is_left_to_us(&folder, &folder));
        fs::remove_dir_all(&folder).unwrap();
    }
}
