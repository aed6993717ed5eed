//! Where the cgroups of this process are in the file system, by what the kernel lists: wherever a hierarchy is mounted, and
//! whatever part of it. For v2 and for the controllers of v1, which a system may have side by side.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

/// The hierarchy of version 2; those of version 1 go by the names of their controllers.
pub(super) const V2: &str = "";

/// The group of this process, at one mount of its hierarchy.
#[derive(Debug, PartialEq)]
pub(super) struct Own {
    pub folder: PathBuf,
    pub mount: PathBuf,
}

impl Own {
    /// It and those above it, as far as the mount shows them.
    pub fn upward(&self) -> impl Iterator<Item = &Path> {
        self.folder.ancestors().take_while(|folder| folder.starts_with(&self.mount))
    }
}

/// That group at each mount that shows it.
pub(super) fn own(hierarchy: &str) -> Vec<Own> {
    static MOUNTS: OnceLock<Vec<Mount>> = OnceLock::new();
    let mounts = MOUNTS.get_or_init(|| mounts_in(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()));
    if mounts.is_empty() {
        return Vec::new();
    }
    own_in(hierarchy, &fs::read_to_string("/proc/self/cgroup").unwrap_or_default(), mounts)
}

#[derive(Debug)]
struct Mount {
    /// `None`: version 2.
    controllers: Option<String>,
    /// The group that is mounted.
    root: PathBuf,
    place: PathBuf,
}

/// By the text of a process's `cgroup`.
fn own_in(hierarchy: &str, groups: &str, mounts: &[Mount]) -> Vec<Own> {
    let is_it = |controllers: &str| controllers == hierarchy || controllers.split(',').any(|name| name == hierarchy);
    let name = groups.lines().find_map(|line| {
        let (controllers, name) = line.split_once(':')?.1.split_once(':')?;
        is_it(controllers).then_some(Path::new(name))
    });
    // Outside of what the namespace shows there are no names, but ways upward.
    let Some(name) = name.filter(|name| name.components().all(|part| part != Component::ParentDir)) else {
        return Vec::new();
    };
    let at = |mount: &Mount| {
        let rest = name.strip_prefix(&mount.root).ok()?;
        let folder = mount.place.components().chain(rest.components()).collect();
        Some(Own { folder, mount: mount.place.clone() })
    };
    mounts.iter().filter(|mount| mount.controllers.as_deref().map_or(hierarchy == V2, is_it)).filter_map(at).collect()
}

fn mounts_in(mountinfo: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ').skip(3).map(unescaped);
        let (root, place) = (fields.next()?, fields.next()?);
        let mut right = right.split(' ');
        let controllers = match right.next()? {
            "cgroup2" => None,
            "cgroup" => Some(right.nth(1)?.to_string()),
            _ => return None,
        };
        Some(Mount { controllers, root, place })
    };
    mountinfo.lines().filter_map(mount).collect()
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
    const BOTH: &str = "31 24 0:27 /d /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct";
    const HYBRID: &str = "41 31 0:38 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
    const PART: &str = "42 24 0:38 /docker/ab /sys/fs/a\\040group ro shared:9 master:3 - cgroup2 cgroup rw";
    const OTHER: &str = "43 24 0:39 / /tmp rw - tmpfs tmpfs rw,memory";

    fn own_at(hierarchy: &str, groups: &str, mounts: &[&str]) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let own = own_in(hierarchy, groups, &mounts_in(&mounts.join("\n")));
        own.into_iter().map(|own| (text(own.folder), text(own.mount))).collect()
    }

    fn pair(folder: &str, mount: &str) -> (String, String) {
        (folder.into(), mount.into())
    }

    #[test]
    fn the_hierarchy_is_found_wherever_it_is() {
        let mount = "/sys/fs/cgroup/unified";
        let hybrid = "9:name=systemd:/\n5:cpu,cpuacct:/d/e\n4:memory:/some\n0::/a/b\n";
        let all = [OTHER, V1, BOTH, HYBRID];
        assert_eq!(own_at(V2, hybrid, &all), [pair("/sys/fs/cgroup/unified/a/b", mount)]);
        assert_eq!(own_at("memory", hybrid, &all), [pair("/sys/fs/cgroup/memory/some", "/sys/fs/cgroup/memory")]);
        let cpu = "/sys/fs/cgroup/cpu,cpuacct";
        assert_eq!(own_at("cpuacct", hybrid, &all), [pair(&format!("{cpu}/e"), cpu)]);
        assert_eq!(own_at("pids", hybrid, &all), []);
        assert_eq!(own_at(V2, "0::/\n", &[HYBRID]), [pair(mount, mount)]);
        assert_eq!(own_at(V2, "0::/a/b\n", &[V1]), []);
        assert_eq!(own_at(V2, "4:memory:/some\n", &[V1, HYBRID]), []);
    }

    #[test]
    fn a_part_of_it_is_where_its_mount_begins() {
        let at = |groups| own_at(V2, groups, &[PART]);
        assert_eq!(at("0::/docker/ab/init"), [pair("/sys/fs/a group/init", "/sys/fs/a group")]);
        assert_eq!(at("0::/docker/ab"), [pair("/sys/fs/a group", "/sys/fs/a group")]);
        assert_eq!(at("0::/docker/abc"), []);
        assert_eq!(own_at(V2, "0::/../other", &[HYBRID]), []);
    }

    #[test]
    fn what_is_above_ends_at_the_mount() {
        let own = Own { folder: "/m/a/b".into(), mount: "/m".into() };
        assert_eq!(own.upward().collect::<Vec<_>>(), ["/m/a/b", "/m/a", "/m"].map(Path::new));
    }

    #[test]
    fn names_are_read_as_they_are() {
        assert_eq!(unescaped(r"/a\040b\134\011c"), Path::new("/a b\\\tc"));
        assert_eq!(unescaped(r"/a\9\04"), Path::new(r"/a\9\04"));
    }
}
