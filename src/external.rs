//! unsafe room: memory that JavaScript and Rust both see: buffers of JavaScript that are kept and written, and shared
//! memory shown as ArrayBuffers.

use napi::bindgen_prelude::*;
use napi::sys;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;

/// A JavaScript Buffer kept for the life of its owner and used as scratch memory. Its backing store never moves, and the
/// JavaScript side never transfers or resizes it (`lib/settling.js`, `lib/worker/loop.js`).
pub struct Scratch {
    start: *mut u8,
    len: usize,
    /// Dropped only by `release`: an environment that ends frees its references itself.
    buffer: ManuallyDrop<Buffer>,
}

impl Scratch {
    pub fn new(mut buffer: Buffer) -> Self {
        let bytes: &mut [u8] = &mut buffer;
        Scratch { start: bytes.as_mut_ptr(), len: bytes.len(), buffer: ManuallyDrop::new(buffer) }
    }

    /// Lets the buffer go, while its environment lives.
    pub fn release(self) {
        drop(ManuallyDrop::into_inner(self.buffer));
    }

    pub fn len(&self) -> usize {
        self.len
    }

    #[allow(clippy::mut_from_ref)]
    pub fn bytes(&self) -> &mut [u8] {
        // SAFETY: the buffer is kept alive; only the environment's thread uses this value, one borrow at a time and never
        // across a call into JavaScript.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

struct Release(Box<dyn FnOnce()>);

/// An ArrayBuffer over foreign memory; `release` runs on this thread when nobody looks at it any more. `None` where the
/// runtime refuses foreign memory (`release` has then not run).
///
/// # Safety
/// `start` is valid for `len` bytes until `release` runs, and no Rust reference to it exists meanwhile.
pub unsafe fn view(
    env: &Env,
    start: *mut u8,
    len: usize,
    release: Box<dyn FnOnce()>,
) -> std::result::Result<sys::napi_value, Box<dyn FnOnce()>> {
    unsafe extern "C" fn done(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
        // SAFETY: the box made below; a finalizer runs once.
        let release = unsafe { Box::from_raw(hint.cast::<Release>()) };
        (release.0)();
    }
    let hint = Box::into_raw(Box::new(Release(release)));
    let mut value = ptr::null_mut();
    // SAFETY: the memory is the caller's promise; the hint is taken back by `done`, or here when nothing was made.
    unsafe {
        let status =
            sys::napi_create_external_arraybuffer(env.raw(), start.cast(), len, Some(done), hint.cast(), &mut value);
        if status == sys::Status::napi_ok {
            Ok(value)
        } else {
            let mut exception = ptr::null_mut();
            sys::napi_get_and_clear_last_exception(env.raw(), &mut exception);
            Err(Box::from_raw(hint).0)
        }
    }
}

/// An ArrayBuffer with a copy of `bytes`.
pub fn copy(env: &Env, bytes: &[u8]) -> Result<sys::napi_value> {
    filled(env, bytes.len(), |into| {
        into.copy_from_slice(bytes);
        true
    })
}

/// A fresh ArrayBuffer of `len` bytes that `fill` writes; false from it is an error.
pub fn filled(env: &Env, len: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Result<sys::napi_value> {
    let (mut data, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: fresh memory of this length, written before JavaScript sees it; an empty one may have no address.
    let full = unsafe {
        if sys::napi_create_arraybuffer(env.raw(), len, &mut data, &mut value) != sys::Status::napi_ok {
            let mut exception = ptr::null_mut();
            sys::napi_get_and_clear_last_exception(env.raw(), &mut exception);
            return Err(Error::from_reason("no memory for an ArrayBuffer"));
        }
        len == 0 || fill(std::slice::from_raw_parts_mut(data.cast::<u8>(), len))
    };
    if full {
        Ok(value)
    } else {
        Err(Error::from_reason("bytes outside of their arena"))
    }
}

/// A JavaScript array of values.
pub fn array(env: &Env, values: &[sys::napi_value]) -> Result<sys::napi_value> {
    let mut list = ptr::null_mut();
    // SAFETY: values of the current scope, on the environment's thread.
    unsafe {
        if sys::napi_create_array_with_length(env.raw(), values.len(), &mut list) != sys::Status::napi_ok {
            return Err(Error::from_reason("no memory for an array"));
        }
        for (index, value) in values.iter().enumerate() {
            sys::napi_set_element(env.raw(), list, index as u32, *value);
        }
    }
    Ok(list)
}

/// A raw value as a return value of an export.
pub struct Raw(pub sys::napi_value);

impl ToNapiValue for Raw {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        Ok(value.0)
    }
}
