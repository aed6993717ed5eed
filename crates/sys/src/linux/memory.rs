//! Shared memory: one sealed, sparse memfd mapped once. Growing is touching, giving back is punching a hole; nothing is
//! ever remapped, and no other process can cut it short under us (the shrink seal). Without memfd a file that has no name
//! takes its place; what lies beyond its file system's room cannot be touched, so there memory is backed before it is used.

use super::Fd;
use crate::{Error, Result};
use rustix::fs::{self, FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};
use std::path::PathBuf;
use std::ptr::NonNull;

/// Set to `1`, this environment variable makes every segment an unlinked temporary file, as on systems without memfd.
const FORCE_FILE: &str = "FARM_FORCE_NO_MEMFD";

/// Where files are kept in memory; in containers often of 64 MiB.
const IN_MEMORY: &str = "/dev/shm";
/// Room enough for a file there.
const ENOUGH: u64 = 1 << 30;

#[derive(Debug)]
pub struct Memory {
    fd: Fd,
    start: NonNull<u8>,
    len: usize,
    /// A file: its room is that of its file system.
    is_file: bool,
}

// SAFETY: the mapping belongs to this value until drop; what is read and written through it is governed by the
// transport crate, which uses atomics or copies.
unsafe impl Send for Memory {}
// SAFETY: as above; `&Memory` only hands out the address.
unsafe impl Sync for Memory {}

impl Memory {
    /// A new segment of `len` bytes, zero until touched. No memory is taken yet.
    pub fn create(name: &str, len: usize) -> Result<Memory> {
        let forced = std::env::var_os(FORCE_FILE).is_some_and(|value| value == "1");
        let fd = match if forced { Err(Errno::NOSYS) } else { Self::memfd(name) } {
            Ok(fd) => {
                fs::ftruncate(&fd, len as u64).map_err(|error| Error::system("ftruncate", error))?;
                fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
                    .map_err(|error| Error::system("fcntl(F_ADD_SEALS)", error))?;
                fd
            }
            // An old kernel, or a filter of system calls.
            Err(Errno::NOSYS | Errno::PERM | Errno::ACCESS) => Self::file(len)?,
            Err(error) => return Err(Error::system("memfd_create", error)),
        };
        Self::map(fd, len)
    }

    fn memfd(name: &str) -> rustix::io::Result<Fd> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        match fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
            // Kernels before 6.3 do not know the flag.
            Err(Errno::INVAL) => fs::memfd_create(name, flags),
            other => other,
        }
        .map(Fd::from)
    }

    fn file(len: usize) -> Result<Fd> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let open = |folder: PathBuf| fs::open(folder, flags, Mode::RUSR | Mode::WUSR);
        let [first, second] = folders();
        let fd = open(first).or_else(|_| open(second)).map_err(|error| Error::system("open(O_TMPFILE)", error))?;
        fs::ftruncate(&fd, len as u64).map_err(|error| Error::system("ftruncate", error))?;
        Ok(fd.into())
    }

    /// Maps a segment received from the other end. `len` must be what both ends agreed on; the file's own size is
    /// checked, since a shorter one would kill the reader.
    pub fn map(fd: Fd, len: usize) -> Result<Memory> {
        let stat = fs::fstat(&fd).map_err(|error| Error::system("fstat", error))?;
        if (stat.st_size as u64) < len as u64 {
            let short = std::io::Error::new(std::io::ErrorKind::InvalidData, "the segment is shorter than agreed");
            return Err(Error::system("mmap", short));
        }
        // SAFETY: a fresh shared mapping at an address the kernel chooses touches no memory of ours; the file cannot
        // shrink (sealed, or unlinked and known only to farm's own processes).
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::NORESERVE,
                &fd,
                0,
            )
        }
        .map_err(|error| Error::system("mmap", error))?;
        let start = NonNull::new(start.cast()).ok_or(Error::Unsupported { what: "a mapping at address 0" })?;
        let is_file = !fs::fcntl_get_seals(&fd).is_ok_and(|seals| seals.contains(SealFlags::SHRINK));
        Ok(Memory { fd, start, len, is_file })
    }

    /// Makes sure that a range can be touched. A memfd's always can; what a file has no room for would end the process.
    pub fn back(&self, offset: usize, len: usize) -> Result<()> {
        if !self.is_file || len == 0 {
            return Ok(());
        }
        match fs::fallocate(&self.fd, FallocateFlags::KEEP_SIZE, offset as u64, len as u64) {
            Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(Error::system("fallocate", error)),
            // Also where the file system cannot tell.
            _ => Ok(()),
        }
    }

    pub fn fd(&self) -> &Fd {
        &self.fd
    }

    /// First byte of the mapping; page-aligned, valid for `len` bytes while `self` lives.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives the pages of a range back to the system; the range reads as zero afterwards.
    pub fn punch(&self, offset: usize, len: usize) {
        // Best effort: a system that refuses only keeps the pages longer.
        let _ =
            fs::fallocate(&self.fd, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, offset as u64, len as u64);
    }

    /// Bytes of its pages that there are, whoever has touched them.
    pub fn touched(&self) -> u64 {
        // st_blocks counts 512 bytes whatever the block size.
        fs::fstat(&self.fd).map_or(0, |stat| stat.st_blocks as u64 * 512)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by `map` with this address and length; whoever uses it holds a reference to `self`.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Where to make a file, and where otherwise: in memory if there is room, else where there is more.
fn folders() -> [PathBuf; 2] {
    let room = |folder: &PathBuf| fs::statvfs(folder).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let [memory, disk] = [PathBuf::from(IN_MEMORY), std::env::temp_dir()];
    let in_memory = room(&memory);
    if in_memory >= ENOUGH || in_memory >= room(&disk) {
        [memory, disk]
    } else {
        [disk, memory]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_stands_in_is_told_from_memory_that_can_always_be_touched() {
        let memory = Memory::create("farm-test", 1 << 16).unwrap();
        let second = Memory::map(memory.fd().duplicate().unwrap(), 1 << 16).unwrap();
        assert!(!memory.is_file && !second.is_file);
        let file = Memory::map(Memory::file(1 << 16).unwrap(), 1 << 16).unwrap();
        assert!(file.is_file);
        file.back(4096, 4096).unwrap();
        // SAFETY: inside the mapping, which nobody else has.
        unsafe { file.start().add(4096).write(7) };
        assert_eq!(fs::fstat(file.fd()).unwrap().st_blocks, 8);
    }

    #[test]
    fn what_a_file_system_has_no_room_for_is_not_backed() {
        const MORE: usize = 1 << 40;
        let room = fs::statvfs(IN_MEMORY).map_or(0, |stat| stat.f_blocks.saturating_mul(stat.f_frsize));
        if room == 0 || room >= MORE as u64 || folders()[0] != *IN_MEMORY {
            println!("skipped: {IN_MEMORY} has no room that could be used up");
            return;
        }
        let file = Memory::map(Memory::file(MORE).unwrap(), MORE).unwrap();
        assert!(file.back(0, MORE).is_err());
        file.back(MORE - 4096, 4096).unwrap();
    }
}
