//! Questions about the machine and this library.

use farm_engine::{system, LimitSettings};
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

/// Room for the descriptors of farms, before the first of them is opened. It takes a while, but not this thread's.
#[napi(catch_unwind)]
pub fn make_room() {
    // The thread outlives an environment that ends at once. What is not done now is done when it is needed.
    let _ = system::library::pin().and_then(|()| system::make_room());
}

/// What lib/ and this addon say to each other; lib/native-addon.js knows the same number. It goes up with every change
/// to an export that lib/ calls.
const PROTOCOL: u32 = 6;

/// The number of the calls between lib/ and this addon.
#[napi(catch_unwind)]
pub fn protocol() -> u32 {
    PROTOCOL
}

/// The line that this build's two ends speak, as a number. A parent and a worker that differ in it do not come together.
#[napi(catch_unwind)]
pub fn line_build() -> String {
    format!("{:016x}", farm_transport::layout::VERSION)
}

/// Numbers of the CPUs that this process may run on.
#[napi(catch_unwind)]
pub fn usable_cpu_numbers() -> Vec<u32> {
    system::usable_cpu_numbers().into_iter().map(|cpu| cpu as u32).collect()
}

/// `limits`: JSON of the engine's `LimitSettings`. The name of a limit that this system cannot hold a worker to, and why;
/// an empty list when it can.
#[napi(catch_unwind)]
pub fn limit_refusal(limits: String) -> Result<Vec<String>> {
    let limits: LimitSettings =
        serde_json::from_str(&limits).map_err(|error| Error::from_reason(format!("limits: {error}")))?;
    Ok(system::limit_refusal(&limits).map_or_else(Vec::new, |(limit, why)| vec![limit.to_string(), why]))
}
