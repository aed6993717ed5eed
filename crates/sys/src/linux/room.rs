//! Room in this process's table of descriptors. A process that has threads waits for all CPUs (a grace period of RCU, 5 to
//! 15 ms) whenever the table grows; whoever opens a descriptor then stands still for so long.

use super::Doorbell;
use crate::{Error, Result};
use rustix::process::{getrlimit, Resource};

/// Enough for a farm of some hundred workers beside what else is open; 8 KiB.
const ROOM: u64 = 1024;

/// Grows the table on a thread that nobody waits for.
pub fn make_room() -> Result<()> {
    std::thread::Builder::new()
        .name("farm-room".into())
        .stack_size(64 * 1024)
        .spawn(|| grow(ROOM))
        .map(drop)
        .map_err(|error| Error::system("thread", error))
}

/// What is refused leaves the table as it is: it grows later, as every table does.
fn grow(room: u64) {
    let room = getrlimit(Resource::Nofile).current.map_or(room, |most| most.min(room));
    let Ok(any) = Doorbell::new() else { return };
    let _ = rustix::io::fcntl_dupfd_cloexec(any.fd(), room.saturating_sub(1) as i32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_room_and_nothing_stays_open() {
        let open = || {
            std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .filter(|fd| {
                    let name = fd.as_ref().unwrap().file_name();
                    name.to_str().unwrap().parse::<u64>().unwrap() >= 1000
                })
                .count()
        };
        grow(1100);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap().trim().parse::<u64>().unwrap();
        assert!(size >= 1100, "{size}");
        assert_eq!(open(), 0);
    }
}
