// SPDX-License-Identifier: Apache-2.0

//! The border of Extism, by its own PDK.

use extism_pdk::{input_bytes, Error, Memory};

#[link(wasm_import_module = "extism:host/user")]
extern "C" {
    #[link_name = "get"]
    fn user_get(request: u64) -> u64;
}

fn get(request: &[u8]) -> Result<Vec<u8>, String> {
    let question = Memory::from_bytes(request).map_err(|e| e.to_string())?;
    let answer = Memory::find(unsafe { user_get(question.offset()) }).ok_or("no answer")?;
    question.free();
    let bytes = answer.to_vec();
    answer.free();
    Ok(bytes)
}

fn work() -> Result<(), Error> {
    match crate::run(&input_bytes(), get, |_| {}).map_err(Error::msg)? {
        Some(millis) => extism_pdk::output(crate::reply(millis).map_err(Error::msg)?),
        None => Ok(()),
    }
}

#[no_mangle]
pub extern "C" fn reconcile() -> i32 {
    i32::from(work().is_err())
}
