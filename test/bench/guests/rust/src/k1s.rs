// SPDX-License-Identifier: Apache-2.0

//! The border of docs/spec/abi.md. The module has one thread, and the host enters it once at a time,
//! but for `k1s_alloc` inside a host function.

use crate::arena;
use serde::{Deserialize, Serialize};
use std::alloc::{alloc, Layout};
use std::cell::Cell;

const IS_ERROR: u64 = 0x8000_0000;

#[link(wasm_import_module = "k1s")]
extern "C" {
    fn k1s_client_get(at: *const u8, size: usize) -> u64;
    fn k1s_log(level: u32, at: *const u8, size: usize);
}

thread_local! {
    static SETTINGS: Cell<Settings> = const { Cell::new(Settings { requeue_after_millis: 0, log: false }) };
}

/// For the runs through the operator, which need a load that feeds itself.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// Replaces the result.
    requeue_after_millis: u64,
    /// Logs the name of each Item.
    log: bool,
}

#[no_mangle]
pub extern "C" fn k1s_alloc(size: usize) -> *mut u8 {
    match Layout::from_size_align(size, 8) {
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => core::ptr::null_mut(),
    }
}

fn pack(bytes: &[u8], flag: u64) -> u64 {
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64 | flag
}

fn get(request: &[u8]) -> Result<&'static [u8], String> {
    // The reply lies in a buffer of k1s_alloc, which stays until the end of this call.
    let (reply, bytes) = unsafe {
        let reply = k1s_client_get(request.as_ptr(), request.len());
        (
            reply,
            core::slice::from_raw_parts((reply >> 32) as *const u8, (reply & 0x7fff_ffff) as usize),
        )
    };
    if reply & IS_ERROR != 0 {
        return Err(String::from_utf8_lossy(bytes).into_owned());
    }
    Ok(bytes)
}

#[no_mangle]
pub extern "C" fn k1s_abi_version() -> i32 {
    1
}

#[no_mangle]
pub extern "C" fn k1s_metadata() -> u64 {
    let metadata = br#"{"name":"bench-rust","version":"1.0.0","language":"rust","capabilities":["reconcile"],"forTypes":[
        {"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"},
        {"apiVersion":"inventory.example.com/v1alpha1","kind":"Category"}]}"#;
    pack(metadata, 0)
}

/// An error as the host reads it.
#[derive(Serialize)]
struct Failure<'a> {
    reason: &'a str,
    message: &'a str,
}

/// The host's own errors go back as they came.
fn failure(message: String) -> String {
    if message.starts_with('{') {
        return message;
    }
    serde_json::to_string(&Failure {
        reason: "Invalid",
        message: &message,
    })
    .unwrap_or_default()
}

/// Ends an export: all that was allocated is free again, and a text is its reply, which the host reads
/// before anything else is allocated.
fn end(result: Result<Option<String>, String>) -> u64 {
    let reply = match result {
        Ok(None) => 0,
        Ok(Some(reply)) => pack(reply.leak().as_bytes(), 0),
        Err(message) => pack(failure(message).leak().as_bytes(), IS_ERROR),
    };
    arena::reset();
    reply
}

#[no_mangle]
pub unsafe extern "C" fn k1s_initialize(at: *const u8, size: usize) -> u64 {
    let settings = serde_json::from_slice(core::slice::from_raw_parts(at, size));
    end(settings
        .map(|s| SETTINGS.set(s))
        .map(|()| None)
        .map_err(|e| e.to_string()))
}

#[no_mangle]
pub unsafe extern "C" fn reconcile(at: *const u8, size: usize) -> u64 {
    let settings = SETTINGS.get();
    let result = crate::run(core::slice::from_raw_parts(at, size), get, |name| {
        if settings.log {
            k1s_log(1, name.as_ptr(), name.len());
        }
    });
    let millis = |computed| {
        if settings.requeue_after_millis > 0 {
            settings.requeue_after_millis
        } else {
            computed
        }
    };
    end(result.and_then(|computed| computed.map(|m| crate::reply(millis(m))).transpose()))
}
