//! Questions about the machine and this library.

use farm_engine::system;
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Binds this process to its parent: it ends with it, whatever it does. It ends at once when the parent is gone already.
#[napi(catch_unwind)]
pub fn guard_process(parent: i32) -> Result<()> {
    if !system::die_with_parent(parent).map_err(|error| Error::from_reason(error.to_string()))? {
        std::process::exit(0);
    }
    Ok(())
}

/// CPUs this process may use, cgroup quota included.
#[napi(catch_unwind)]
pub fn usable_cpus() -> u32 {
    system::usable_cpus() as u32
}

/// Bytes this process may use: the machine's memory or the tightest cgroup limit.
#[napi(catch_unwind)]
pub fn memory_limit() -> f64 {
    system::memory_limit() as f64
}

/// The file of this addon, for the workers to load.
#[napi(catch_unwind)]
pub fn library_path() -> Option<String> {
    system::library::path()
}

/// True where farms can be made.
#[napi(catch_unwind)]
pub fn is_supported() -> bool {
    system::SUPPORTED
}
