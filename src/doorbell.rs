//! unsafe room: the doorbell of one farm or worker on its environment's loop, from first ring to clean-up.
//!
//! A handle left open when an environment ends aborts the process, so an asynchronous clean-up hook closes it first.

use crate::uv::Poll;
use napi::bindgen_prelude::*;
use napi::sys;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

struct Inner {
    env: sys::napi_env,
    poll: *mut Poll,
    callback: sys::napi_ref,
    hook: sys::napi_async_cleanup_hook_handle,
    held: bool,
    /// What the hook gets; taken back by the hook, or when the hook is removed.
    hook_data: *mut Doorbell,
    /// Runs once when the environment ends or the doorbell is closed.
    on_end: Option<Box<dyn FnOnce()>>,
}

/// Polls a descriptor and calls a JavaScript function when it is readable.
#[derive(Clone)]
pub struct Doorbell(Rc<RefCell<Option<Inner>>>);

impl Doorbell {
    /// `fd` must stay open until `on_end` has run. `on_ring` gets the doorbell and calls JavaScript through it.
    pub fn new(
        env: &Env,
        fd: i32,
        callback: &Function<'_, (), ()>,
        mut on_ring: impl FnMut(&Doorbell) + 'static,
        on_end: impl FnOnce() + 'static,
    ) -> Option<Doorbell> {
        let raw = env.raw();
        let bell = Doorbell(Rc::new(RefCell::new(None)));
        let mut event_loop = ptr::null_mut();
        let mut reference = ptr::null_mut();
        let ringing = bell.clone();
        // SAFETY: Node-API calls on the environment's own thread; the loop is this thread's; the descriptor's life is the
        // caller's promise.
        let poll = unsafe {
            if sys::napi_get_uv_event_loop(raw, &mut event_loop) != sys::Status::napi_ok {
                return None;
            }
            if sys::napi_create_reference(raw, callback.raw(), 1, &mut reference) != sys::Status::napi_ok {
                return None;
            }
            Poll::start(event_loop.cast(), fd, Box::new(move || on_ring(&ringing)))?
        };
        let mut hook = ptr::null_mut();
        let data: *mut Doorbell = Box::into_raw(Box::new(bell.clone()));
        // SAFETY: the box is taken back by `at_end`, or by `close` when that removes the hook.
        unsafe { sys::napi_add_async_cleanup_hook(raw, Some(at_end), data.cast(), &mut hook) };
        let on_end: Option<Box<dyn FnOnce()>> = Some(Box::new(on_end));
        *bell.0.borrow_mut() =
            Some(Inner { env: raw, poll, callback: reference, hook, held: false, hook_data: data, on_end });
        Some(bell)
    }

    /// Keeps the event loop alive, or no longer.
    pub fn hold(&self, on: bool) {
        if let Some(inner) = self.0.borrow_mut().as_mut() {
            if inner.held != on {
                inner.held = on;
                // SAFETY: the poll is open while `inner` is there, and this is its thread.
                unsafe { Poll::hold(inner.poll, on) };
            }
        }
    }

    /// Calls the JavaScript function as a turn of its own: ticks and microtasks run before this returns. False when the
    /// doorbell is closed.
    pub fn call(&self) -> bool {
        let Some((env, callback)) = self.0.borrow().as_ref().map(|inner| (inner.env, inner.callback)) else {
            return false;
        };
        // SAFETY: on the environment's thread, outside of any JavaScript; every value is used inside its handle scope.
        unsafe {
            let mut scope = ptr::null_mut();
            if sys::napi_open_handle_scope(env, &mut scope) != sys::Status::napi_ok {
                return false;
            }
            let (mut function, mut result) = (ptr::null_mut(), ptr::null_mut());
            sys::napi_get_reference_value(env, callback, &mut function);
            // `this` is the function itself, not the global object: Node.js up to 24 takes what `this` has as `domain` for the
            // domain to enter, and in its prompt and under `--eval` the global of that name is the module.
            let status = sys::napi_make_callback(env, ptr::null_mut(), function, function, 0, ptr::null(), &mut result);
            if status == sys::Status::napi_pending_exception {
                let mut exception = ptr::null_mut();
                sys::napi_get_and_clear_last_exception(env, &mut exception);
                sys::napi_fatal_exception(env, exception);
            }
            sys::napi_close_handle_scope(env, scope);
        }
        self.0.borrow().is_some()
    }

    /// Closes the handle; nothing rings any more.
    pub fn close(&self) {
        let Some(inner) = self.0.borrow_mut().take() else { return };
        let Inner { env, poll, callback, hook, hook_data, on_end, .. } = inner;
        // SAFETY: the hook has not run (it takes `inner` too), so it can be removed and its data is still ours, as the
        // reference and the poll are.
        unsafe {
            sys::napi_delete_reference(env, callback);
            sys::napi_remove_async_cleanup_hook(hook);
            drop(Box::from_raw(hook_data));
            Poll::close(poll, None);
        }
        if let Some(end) = on_end {
            end();
        }
    }
}

/// The environment ends: close the handle, then tell Node that the clean-up is complete.
unsafe extern "C" fn at_end(hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: the box made in `new`; this hook runs at most once.
    let bell = unsafe { Box::from_raw(data.cast::<Doorbell>()) };
    let Some(inner) = bell.0.borrow_mut().take() else {
        return;
    };
    // The address as a number: the closure below runs later on this same thread.
    let hook = hook as usize;
    // SAFETY: this thread, once; the hook handle stays valid until it is removed, in the closure.
    unsafe {
        Poll::close(
            inner.poll,
            Some(Box::new(move || {
                sys::napi_remove_async_cleanup_hook(hook as sys::napi_async_cleanup_hook_handle);
            })),
        );
    }
    if let Some(end) = inner.on_end {
        end();
    }
}
