//! The groups that are to end with their parent: pages that the parent writes and its guard reads. A process group is listed
//! as soon as its leader exists and taken out before the leader is reaped, so that no number in here can belong to anybody
//! else while the parent lives. Of cgroups it says where they are and how their names begin, which is the parent's alone.

use crate::{Error, Fd, Memory, Result};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU8, Ordering::*};

/// Groups at a time, as many as a system has processes by default. Only pages that were used take memory.
const PLACES: usize = 1 << 15;
const LEN: usize = CGROUPS + CGROUP_FOLDERS * CGROUP_LEN;

/// Folders with cgroups that it has room for: one, unless the parent is moved from cgroup to cgroup.
pub const CGROUP_FOLDERS: usize = 16;
/// For each: a length, then so many bytes; with a name in it longer than any path.
const CGROUP_LEN: usize = 8192;
/// Where they begin.
const CGROUPS: usize = ((PLACES + 1) * size_of::<AtomicI32>()).next_multiple_of(CGROUP_LEN);

#[derive(Debug)]
pub struct GroupTable(Memory);

impl GroupTable {
    pub fn create() -> Result<Self> {
        let memory = Memory::create("farm-groups", LEN)?;
        memory.back(0, LEN)?;
        Ok(GroupTable(memory))
    }

    /// The guard's view of the parent's table.
    pub fn map(fd: Fd) -> Result<Self> {
        Memory::map(fd, LEN).map(GroupTable)
    }

    pub fn fd(&self) -> &Fd {
        self.0.fd()
    }

    /// The first word counts the places that were ever used, the others hold a group or 0.
    fn words(&self) -> &[AtomicI32] {
        // SAFETY: the mapping is page-aligned, LEN bytes long, zero at first, and lives as long as `self`; all that is
        // ever done with it goes through these atomics, in both processes.
        unsafe { std::slice::from_raw_parts(self.0.start().as_ptr().cast::<AtomicI32>(), PLACES + 1) }
    }

    fn used(&self) -> &[AtomicI32] {
        let used = self.words()[0].load(Acquire).clamp(0, PLACES as i32);
        &self.words()[1..=used as usize]
    }

    pub fn list(&self, group: i32) -> Result<()> {
        let free = |place: &AtomicI32| place.compare_exchange(0, group, AcqRel, Relaxed).is_ok();
        if self.used().iter().any(free) {
            return Ok(());
        }
        for (index, place) in self.words().iter().enumerate().skip(1) {
            if free(place) {
                self.words()[0].fetch_max(index as i32, AcqRel);
                return Ok(());
            }
        }
        Err(Error::Unsupported { what: "guarding more process groups" })
    }

    pub fn unlist(&self, group: i32) {
        for place in self.used() {
            let _ = place.compare_exchange(group, 0, AcqRel, Relaxed);
        }
    }

    pub fn each(&self, act: impl FnMut(i32)) {
        self.used().iter().map(|place| place.load(Acquire)).filter(|group| *group > 0).for_each(act);
    }

    fn cgroup(&self, place: usize) -> (&AtomicU32, &[AtomicU8]) {
        assert!(place < CGROUP_FOLDERS);
        // SAFETY: within LEN by the assertion, aligned to CGROUP_LEN, and apart from `words`; otherwise as there.
        unsafe {
            let start = self.0.start().as_ptr().add(CGROUPS + place * CGROUP_LEN);
            let bytes = start.add(size_of::<AtomicU32>()).cast::<AtomicU8>();
            (&*start.cast::<AtomicU32>(), std::slice::from_raw_parts(bytes, CGROUP_LEN - size_of::<AtomicU32>()))
        }
    }

    /// All cgroups whose paths begin so end with the parent. For one thread to call.
    pub fn list_cgroups(&self, start_of_paths: &[u8]) -> Result<()> {
        if self.cgroups().any(|listed| listed == start_of_paths) {
            return Ok(());
        }
        for place in 0..CGROUP_FOLDERS {
            let (len, bytes) = self.cgroup(place);
            if len.load(Acquire) == 0 && start_of_paths.len() <= bytes.len() {
                bytes.iter().zip(start_of_paths).for_each(|(place, byte)| place.store(*byte, Relaxed));
                len.store(start_of_paths.len() as u32, Release);
                return Ok(());
            }
        }
        Err(Error::Unsupported { what: "guarding cgroups in more folders" })
    }

    pub fn cgroups(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        (0..CGROUP_FOLDERS).map(|place| self.cgroup(place)).map_while(|(len, bytes)| {
            let len = len.load(Acquire) as usize;
            (len > 0).then(|| bytes.iter().take(len).map(|byte| byte.load(Relaxed)).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(table: &GroupTable) -> Vec<i32> {
        let mut groups = Vec::new();
        table.each(|group| groups.push(group));
        groups
    }

    #[test]
    fn places_are_used_again() {
        let table = GroupTable::create().unwrap();
        assert_eq!(listed(&table), []);
        for group in [11, 22, 33] {
            table.list(group).unwrap();
        }
        table.unlist(22);
        table.unlist(99);
        assert_eq!(listed(&table), [11, 33]);
        table.list(44).unwrap();
        assert_eq!(listed(&table), [11, 44, 33]);
    }

    #[test]
    fn the_other_side_sees_it_and_a_full_table_refuses() {
        let table = GroupTable::create().unwrap();
        let guard = GroupTable::map(table.fd().duplicate().unwrap()).unwrap();
        // All but the last two are filled by hand: list() looks at every place, which for all of them takes a minute.
        let by_hand = PLACES - 2;
        for (place, group) in table.words()[1..=by_hand].iter().zip(1..) {
            place.store(group, Relaxed);
        }
        table.words()[0].store(by_hand as i32, Release);
        table.list(PLACES as i32 - 1).unwrap();
        table.list(PLACES as i32).unwrap();
        assert!(table.list(7).is_err());
        assert_eq!(listed(&guard).len(), PLACES);
        table.unlist(5);
        assert!(!listed(&guard).contains(&5));
    }

    #[test]
    fn where_cgroups_are_is_said_once() {
        let table = GroupTable::create().unwrap();
        let guard = GroupTable::map(table.fd().duplicate().unwrap()).unwrap();
        assert_eq!(guard.cgroups().count(), 0);
        let starts: Vec<_> =
            (0..CGROUP_FOLDERS).map(|n| format!("/sys/fs/cgroup/{n}/farm-1-2-tree-").into_bytes()).collect();
        for start in starts.iter().chain(&starts) {
            table.list_cgroups(start).unwrap();
        }
        assert_eq!(guard.cgroups().collect::<Vec<_>>(), starts);
        assert!(table.list_cgroups(b"/one/more").is_err());
    }
}
