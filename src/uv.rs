//! unsafe room: libuv's poll handle, looked up by name, so that the addon still loads where the symbols are not exported.
//!
//! A handle lives in memory of libuv's size; it is freed in its close callback, never earlier.

use farm_engine::system;
use std::ffi::{c_int, c_void, CStr};
use std::sync::OnceLock;

type Handle = *mut c_void;
type PollCallback = unsafe extern "C" fn(Handle, c_int, c_int);
type CloseCallback = unsafe extern "C" fn(Handle);

/// `UV_POLL` in `uv_handle_type`, `UV_READABLE` in `uv_poll_event` (libuv 1.x keeps both stable).
const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;

struct Calls {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    poll_init: unsafe extern "C" fn(*mut c_void, Handle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(Handle) -> c_int,
    close: unsafe extern "C" fn(Handle, CloseCallback),
    reference: unsafe extern "C" fn(Handle),
    unreference: unsafe extern "C" fn(Handle),
    set_data: unsafe extern "C" fn(Handle, *mut c_void),
    get_data: unsafe extern "C" fn(Handle) -> *mut c_void,
}

fn calls() -> Option<&'static Calls> {
    static CALLS: OnceLock<Option<Calls>> = OnceLock::new();
    fn symbol(name: &CStr) -> Option<*mut c_void> {
        system::library::symbol(name).map(|found| found.as_ptr())
    }
    CALLS
        .get_or_init(|| {
            // SAFETY: the signatures are those of libuv 1.x, checked against its header.
            unsafe {
                Some(Calls {
                    handle_size: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(c_int) -> usize>(symbol(
                        c"uv_handle_size",
                    )?),
                    poll_init: std::mem::transmute::<
                        *mut c_void,
                        unsafe extern "C" fn(*mut c_void, Handle, c_int) -> c_int,
                    >(symbol(c"uv_poll_init")?),
                    poll_start: std::mem::transmute::<
                        *mut c_void,
                        unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
                    >(symbol(c"uv_poll_start")?),
                    poll_stop: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle) -> c_int>(symbol(
                        c"uv_poll_stop",
                    )?),
                    close: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle, CloseCallback)>(symbol(
                        c"uv_close",
                    )?),
                    reference: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle)>(symbol(c"uv_ref")?),
                    unreference: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle)>(symbol(c"uv_unref")?),
                    set_data: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle, *mut c_void)>(symbol(
                        c"uv_handle_set_data",
                    )?),
                    get_data: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle) -> *mut c_void>(symbol(
                        c"uv_handle_get_data",
                    )?),
                })
            }
        })
        .as_ref()
}

/// A descriptor polled on a Node event loop. Must be closed on the loop's thread before the loop ends.
pub struct Poll {
    handle: Handle,
    memory: Box<[u64]>,
    on_ready: Box<dyn FnMut()>,
    on_closed: Option<Box<dyn FnOnce()>>,
}

impl Poll {
    /// Starts polling; unref'd. `None` where the loop cannot be polled. `on_ready` runs on the loop's thread whenever the
    /// descriptor is readable.
    ///
    /// # Safety
    /// `event_loop` is the loop of the calling thread, and `fd` stays open until the handle is closed.
    pub unsafe fn start(event_loop: *mut c_void, fd: c_int, on_ready: Box<dyn FnMut()>) -> Option<*mut Poll> {
        let calls = calls()?;
        // SAFETY: a pure question.
        let words = unsafe { (calls.handle_size)(UV_POLL) }.div_ceil(8);
        let mut memory = vec![0u64; words].into_boxed_slice();
        let handle: Handle = memory.as_mut_ptr().cast();
        let poll = Box::into_raw(Box::new(Poll { handle, memory, on_ready, on_closed: None }));
        // SAFETY: `handle` is memory of libuv's size and alignment that lives until the close callback frees `poll`; the
        // loop is the caller's promise.
        unsafe {
            if (calls.poll_init)(event_loop, handle, fd) != 0 {
                drop(Box::from_raw(poll));
                return None;
            }
            (calls.set_data)(handle, poll.cast());
            if (calls.poll_start)(handle, UV_READABLE, ready) != 0 {
                (calls.close)(handle, closed);
                return None;
            }
            (calls.unreference)(handle);
        }
        Some(poll)
    }

    /// Keeps the loop alive, or no longer.
    ///
    /// # Safety
    /// On the loop's thread, with a poll that is not closed.
    pub unsafe fn hold(poll: *mut Poll, on: bool) {
        let Some(calls) = calls() else { return };
        // SAFETY: an open handle, as promised.
        unsafe {
            let handle = (*poll).handle;
            if on {
                (calls.reference)(handle);
            } else {
                (calls.unreference)(handle);
            }
        }
    }

    /// Stops polling and frees the handle; `on_closed` runs when that has happened.
    ///
    /// # Safety
    /// On the loop's thread, once; `poll` is not used afterwards.
    pub unsafe fn close(poll: *mut Poll, on_closed: Option<Box<dyn FnOnce()>>) {
        let Some(calls) = calls() else { return };
        // SAFETY: an open handle, as promised; the box is taken back in `closed`.
        unsafe {
            (*poll).on_closed = on_closed;
            let handle = (*poll).handle;
            (calls.poll_stop)(handle);
            (calls.close)(handle, closed);
        }
    }
}

unsafe extern "C" fn ready(handle: Handle, _status: c_int, _events: c_int) {
    let Some(calls) = calls() else { return };
    // SAFETY: the data is the poll that `start` put there; it lives until `closed`. The closure may close the poll, which
    // frees it only in a later turn of the loop.
    unsafe {
        let poll: *mut Poll = (calls.get_data)(handle).cast();
        ((*poll).on_ready)();
    }
}

unsafe extern "C" fn closed(handle: Handle) {
    let Some(calls) = calls() else { return };
    // SAFETY: libuv is done with the handle; this is its last callback, so the box is taken back exactly once.
    let mut poll = unsafe { Box::from_raw((calls.get_data)(handle).cast::<Poll>()) };
    debug_assert!(!poll.memory.is_empty());
    if let Some(done) = poll.on_closed.take() {
        done();
    }
}
