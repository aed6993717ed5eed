//! THE ADDON: converts and registers. The only Rust that names Node-API; decides nothing.
//!
//! Native code returns codes and bytes; Errors and Promises are made in JavaScript, because under Jest a native Error is
//! not `instanceof Error`. Every export catches unwinding, since a panic across Node-API aborts the process.

mod direct;
mod doorbell;
mod external;
mod farm;
mod news;
mod system;
mod uv;
mod worker;
