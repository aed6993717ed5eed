//! unsafe room: functions for the hottest calls, without the wrapper that exports have around them (arguments, borrows of
//! objects): they take nothing and return a number; what else there is to say lies in memory that both sides see.

use napi::bindgen_prelude::*;
use napi::sys;
use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

type Act = Box<RefCell<dyn FnMut() -> i32>>;

/// A JavaScript function that calls `act`, which may not call JavaScript.
pub fn function(env: &Env, act: impl FnMut() -> i32 + 'static) -> Result<sys::napi_value> {
    let act: Act = Box::new(RefCell::new(act));
    // A box around the box: its address is one word.
    let data = Box::into_raw(Box::new(act)).cast::<c_void>();
    let mut value = ptr::null_mut();
    // SAFETY: on the environment's thread; `data` is what `call` and `drop_act` expect. Nobody took it where this fails.
    unsafe {
        if sys::napi_create_function(env.raw(), ptr::null(), 0, Some(call), data, &mut value) != sys::Status::napi_ok
            || sys::napi_add_finalizer(env.raw(), value, data, Some(drop_act), ptr::null_mut(), ptr::null_mut())
                != sys::Status::napi_ok
        {
            drop(Box::from_raw(data.cast::<Act>()));
            return Err(Error::from_reason("no memory for a function"));
        }
    }
    Ok(value)
}

/// A panic, or a call from within the call.
const FAILED: i32 = i32::MIN;

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut data = ptr::null_mut();
    let mut value = ptr::null_mut();
    // SAFETY: Node-API calls this with its own values; `data` is the box made in `function`, which lives as long as the
    // function that is being called. No panic leaves this frame.
    unsafe {
        let (none, this) = (ptr::null_mut(), ptr::null_mut());
        sys::napi_get_cb_info(env, info, none, ptr::null_mut(), this, &mut data);
        let act = &*data.cast::<Act>();
        let answer = catch_unwind(AssertUnwindSafe(|| act.try_borrow_mut().map_or(FAILED, |mut act| act())));
        match answer {
            Ok(answer) if answer != FAILED => sys::napi_create_int32(env, answer, &mut value),
            _ => sys::napi_throw_error(env, ptr::null(), c"farm's native side has failed".as_ptr()),
        };
    }
    value
}

unsafe extern "C" fn drop_act(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the box made in `function`; a finalizer runs once.
    drop(unsafe { Box::from_raw(data.cast::<Act>()) });
}
