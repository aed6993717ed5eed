//! The loaded program and this library in it: what symbols there are, where we come from, staying loaded.

use crate::{Error, Result};
use std::ffi::{c_void, CStr};
use std::ptr::NonNull;

/// The address of a symbol that some loaded part of this process exports.
pub fn symbol(name: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: looks a C string up among the symbols of the process; nothing is called.
    NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}

/// The name under which the system loaded the file that holds this code; it lives as long as the library.
fn loaded_from() -> Option<&'static CStr> {
    // SAFETY: a zeroed `Dl_info` is only storage, which the call fills before it answers with success; the name in it is
    // a C string of the loader's that stays while this code is loaded.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(loaded_from as *const c_void, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        Some(CStr::from_ptr(info.dli_fname))
    }
}

/// This library stays loaded even when the environment that loaded it ends, since threads of ours run its code.
pub fn pin() -> Result<()> {
    let file = loaded_from().ok_or(Error::Unsupported { what: "finding the own library" })?;
    // SAFETY: opens the file that is loaded already (NOLOAD: nothing new runs) and marks it as not to be unloaded.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_NODELETE | libc::RTLD_NOLOAD) };
    if library.is_null() {
        return Err(Error::Unsupported { what: "keeping a library loaded" });
    }
    Ok(())
}

/// Has this called when the process ends by itself, not by a signal. The library has to stay loaded ([`pin`]).
pub fn at_exit(act: extern "C" fn()) {
    // SAFETY: only notes a function of this library, which stays loaded. When it cannot be noted nothing is called.
    unsafe { libc::atexit(act) };
}

/// The file this library was loaded from.
pub fn path() -> Option<String> {
    loaded_from().map(|file| file.to_string_lossy().into_owned())
}

/// The allocator keeps up to so many freed bytes for what comes next instead of giving them back at once, also those of
/// single blocks up to this size. Only where the C library is glibc; elsewhere nothing changes.
pub fn keep_freed_memory(bytes: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets two numbers of the allocator under its own lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes);
        libc::mallopt(libc::M_TRIM_THRESHOLD, bytes);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = bytes;
}
