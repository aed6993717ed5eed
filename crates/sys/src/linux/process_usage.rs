//! What another process of this machine uses and what state it is in, read from /proc and from its CPU clock. Cheap
//! enough for a tick: no call here waits for that process.

use std::fs::File;
use std::io::Read;

/// State and CPU time of a process as `/proc/<pid>/stat` shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessState {
    /// `R` runs, `S` and `D` sleep, `T` is stopped, `t` is traced, `Z` has ended.
    pub letter: char,
    /// User and system time of the process, without its children's; its unit is the system's clock tick.
    pub ticks: u64,
}

fn read(pid: i32, name: &str) -> Option<String> {
    read_from(&format!("/proc/{pid}/{name}"))
}

/// A file of /proc, whose text is short.
fn read_from(path: &str) -> Option<String> {
    let mut bytes = [0; 4096];
    let mut len = 0;
    let mut file = File::open(path).ok()?;
    while len < bytes.len() {
        match file.read(&mut bytes[len..]).ok()? {
            0 => break,
            n => len += n,
        }
    }
    // A program may have given itself a name that is no UTF-8.
    Some(String::from_utf8_lossy(&bytes[..len]).into_owned())
}

/// CPU time of all threads of a process, those that have ended included, in ns; its children's is not in it. `None` when
/// there is no such process any more.
pub fn cpu_ns(pid: i32) -> Option<u64> {
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write one value, each to a place that lives on this stack; numbers are checked by the system.
    let read = unsafe { libc::clock_getcpuclockid(pid, &mut clock) == 0 && libc::clock_gettime(clock, &mut time) == 0 };
    read.then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Bytes of memory that belong to the process alone: resident without what it maps from files or shares.
pub fn private_bytes(pid: i32) -> Option<u64> {
    let text = read(pid, "statm")?;
    let mut pages = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(resident.saturating_sub(shared) * rustix::param::page_size() as u64)
}

/// The most bytes it had in memory at a time, shared ones included; unlike the figure at its end, its own alone.
pub fn max_resident(pid: i32) -> Option<u64> {
    let text = read(pid, "status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// `None` when there is no such process any more.
pub fn process_state(pid: i32) -> Option<ProcessState> {
    let text = read(pid, "stat")?;
    // The program's name stands in parentheses and may hold anything, more of them included.
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    let letter = fields.next()?.chars().next()?;
    let mut times = fields.skip(10).map(str::parse::<u64>);
    Some(ProcessState { letter, ticks: times.next()?.ok()? + times.next()?.ok()? })
}

/// Some thread of the process runs, or waits for nothing but a CPU or a disk. The main one may wait for others, as a
/// garbage collector does for its helpers.
pub fn is_runnable(pid: i32) -> bool {
    let runnable = |of: &str| {
        let letter = read_from(of).and_then(|text| text[text.rfind(')')? + 1..].trim_start().chars().next());
        matches!(letter, Some('R' | 'D'))
    };
    let threads = || std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    runnable(&format!("/proc/{pid}/stat"))
        || threads().any(|thread| thread.path().to_str().is_some_and(|path| runnable(&format!("{path}/stat"))))
}

/// CPU time of all processes of a group and of those children that they have waited for, in clock ticks. Goes through all
/// processes of the system.
pub fn group_ticks(group: i32) -> Option<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that ended meanwhile is no matter.
        sum += ticks_in_group(pid, group).unwrap_or(0);
    }
    Some(sum)
}

fn ticks_in_group(pid: i32, group: i32) -> Option<u64> {
    let text = read(pid, "stat")?;
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace().skip(2);
    if fields.next()?.parse() != Ok(group) {
        return None;
    }
    Some(fields.skip(8).take(4).filter_map(|field| field.parse::<u64>().ok()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn own() -> i32 {
        std::process::id() as i32
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = cpu_ns(own()).unwrap();
        while cpu_ns(own()).unwrap() < before + 5_000_000 {
            std::hint::black_box((0..1000).sum::<u64>());
        }
    }

    #[test]
    fn private_memory_shows_what_is_touched_and_not_what_is_mapped() {
        const SIZE: usize = 64 << 20;
        let before = private_bytes(own()).unwrap();
        let mut block: Vec<u8> = Vec::with_capacity(SIZE);
        let mapped = private_bytes(own()).unwrap();
        block.resize(SIZE, 1);
        let touched = private_bytes(own()).unwrap();
        std::hint::black_box(&block);
        assert!(mapped < before + SIZE as u64 / 2, "{before} {mapped}");
        assert!(touched > mapped + SIZE as u64 / 2, "{mapped} {touched}");
    }

    #[test]
    fn a_stopped_process_is_told_from_one_that_sleeps() {
        let mut child = Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id() as i32;
        let until = |letter| while process_state(pid).unwrap().letter != letter {};
        until('S');
        let signal = |number| assert_eq!(kill(pid, number), 0);
        signal("STOP");
        until('T');
        signal("CONT");
        until('S');
        child.kill().unwrap();
        until('Z');
        child.wait().unwrap();
        assert_eq!((process_state(pid), private_bytes(pid), cpu_ns(pid)), (None, None, None));
    }

    #[test]
    fn a_process_is_runnable_when_any_of_its_threads_is() {
        let mut child = Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().unwrap();
        while process_state(child.id() as i32).unwrap().letter != 'S' {}
        assert!(!is_runnable(child.id() as i32));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_runnable(child.id() as i32));
        // The main thread of a test program waits for the threads of its tests.
        assert!(is_runnable(own()));
    }

    #[test]
    fn a_group_has_the_time_of_its_processes() {
        use std::os::unix::process::CommandExt;
        let script = "sh -c 'while :; do :; done' & wait";
        let mut child = Command::new("sh").args(["-c", script]).process_group(0).spawn().unwrap();
        let group = child.id() as i32;
        while group_ticks(group).unwrap() < 3 {}
        assert_eq!(process_state(group).unwrap().ticks, 0, "the loop runs in its child");
        let end = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status().unwrap();
        assert!(end.success());
        child.wait().unwrap();
    }

    fn kill(pid: i32, signal: &str) -> i32 {
        let status = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap();
        status.code().unwrap()
    }
}
