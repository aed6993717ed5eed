//! The bytes of a ring: plain memory, or under loom cells that tell when both sides touch one without an order between
//! them. unsafe room: the memory is shared with another process.

#[cfg(not(loom))]
pub type Byte = u8;
#[cfg(loom)]
pub type Byte = crate::sync::UnsafeCell<u8>;

/// # Safety
/// `to` is valid for `bytes.len()` bytes that nobody else uses meanwhile.
#[cfg(not(loom))]
#[inline(always)]
pub unsafe fn put(to: *mut Byte, bytes: &[u8]) {
    // SAFETY: as the caller promises; shared memory never overlaps a slice of ours.
    unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// # Safety
/// `from` is valid for `into.len()` bytes.
#[cfg(not(loom))]
#[inline(always)]
pub unsafe fn take(from: *const Byte, into: &mut [u8]) {
    // SAFETY: as in `put`.
    unsafe { into.as_mut_ptr().copy_from_nonoverlapping(from, into.len()) };
}

/// # Safety
/// `to` is valid for `bytes.len()` cells; loom checks the rest.
#[cfg(loom)]
pub unsafe fn put(to: *mut Byte, bytes: &[u8]) {
    for (index, byte) in bytes.iter().enumerate() {
        // SAFETY: as the caller promises.
        unsafe { (*to.add(index)).with_mut(|cell| *cell = *byte) };
    }
}

/// # Safety
/// `from` is valid for `into.len()` cells; loom checks the rest.
#[cfg(loom)]
pub unsafe fn take(from: *const Byte, into: &mut [u8]) {
    for (index, byte) in into.iter_mut().enumerate() {
        // SAFETY: as the caller promises.
        *byte = unsafe { (*from.add(index)).with(|cell| *cell) };
    }
}
