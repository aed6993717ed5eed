//! The loaded program and this library in it.

use super::unsupported;
use crate::Result;
use std::ffi::{c_void, CStr};
use std::ptr::NonNull;

pub fn symbol(_name: &CStr) -> Option<NonNull<c_void>> {
    None
}

pub fn pin() -> Result<()> {
    Err(unsupported("keeping a library loaded"))
}

pub fn at_exit(_act: extern "C" fn()) {}

pub fn keep_freed_memory(_bytes: i32) {}

pub fn path() -> Option<String> {
    None
}
