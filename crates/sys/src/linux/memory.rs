//! Shared memory: one sealed, sparse memfd mapped once. Growing is touching, giving back is punching a hole; nothing is
//! ever remapped, and no other process can cut it short under us (the shrink seal).

use super::Fd;
use crate::{Error, Result};
use rustix::fs::{self, FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};
use std::ptr::NonNull;

/// Set to `1`, this environment variable makes every segment an unlinked temporary file, as on systems without memfd.
const FORCE_FILE: &str = "FARM_FORCE_NO_MEMFD";

#[derive(Debug)]
pub struct Memory {
    fd: Fd,
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to this value until drop; what is read and written through it is governed by the
// transport crate, which uses atomics or copies.
unsafe impl Send for Memory {}
// SAFETY: as above; `&Memory` only hands out the address.
unsafe impl Sync for Memory {}

impl Memory {
    /// A new segment of `len` bytes, zero until touched. No memory is taken yet.
    pub fn create(name: &str, len: usize) -> Result<Memory> {
        let fd = if std::env::var_os(FORCE_FILE).is_some_and(|value| value == "1") {
            Self::file(len)?
        } else {
            match Self::memfd(name, len) {
                Err(Error::System { source, .. }) if source.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) => {
                    Self::file(len)?
                }
                other => other?,
            }
        };
        Self::map(fd, len)
    }

    fn memfd(name: &str, len: usize) -> Result<Fd> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = match fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
            // Kernels before 6.3 do not know the flag.
            Err(Errno::INVAL) => fs::memfd_create(name, flags),
            other => other,
        }
        .map_err(|error| Error::system("memfd_create", error))?;
        fs::ftruncate(&fd, len as u64).map_err(|error| Error::system("ftruncate", error))?;
        fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
            .map_err(|error| Error::system("fcntl(F_ADD_SEALS)", error))?;
        Ok(fd.into())
    }

    fn file(len: usize) -> Result<Fd> {
        let open = |dir: &str| fs::open(dir, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        let fd = open("/dev/shm").or_else(|_| open("/tmp")).map_err(|error| Error::system("open(O_TMPFILE)", error))?;
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
        Ok(Memory { fd, start, len })
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
