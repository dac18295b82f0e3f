// SPDX-License-Identifier: Apache-2.0

//! The work of the benchmark (see ../README.md) in Rust, with serde_json.

#[cfg(feature = "k1s")]
mod arena;
mod checksum;
#[cfg(feature = "extism")]
mod extism;
#[cfg(feature = "k1s")]
mod k1s;
mod objects;

use objects::{Category, Request};

/// Does one reconcile: `get` asks the host for the object that a request names. The result is after how
/// many milliseconds to call again, or a message for an error. `done` is told the Item's name.
pub fn run<R: AsRef<[u8]>>(
    input: &[u8],
    get: impl FnOnce(&[u8]) -> Result<R, String>,
    done: impl FnOnce(&str),
) -> Result<Option<u64>, String> {
    let request: Request = read(input).map_err(|e| format!("read the request: {e}"))?;
    let item = match request.object {
        Some(item) if request.kind == "Item" => item,
        _ => return Ok(None),
    };
    let ask = serde_json::to_vec(&objects::Key {
        api_version: "inventory.example.com/v1alpha1",
        kind: "Category",
        namespace: &item.metadata.namespace,
        name: &item.spec.category,
    })
    .map_err(|e| e.to_string())?;
    let answer = get(&ask)?;
    let category: Category =
        read(answer.as_ref()).map_err(|e| format!("read the Category: {e}"))?;
    done(&item.metadata.name);
    Ok(Some(3_600_000 + u64::from(checksum::of(&item, &category))))
}

/// Reads JSON. To look at all of the UTF-8 once is faster than at each text.
fn read<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    let text = std::str::from_utf8(json).map_err(|e| e.to_string())?;
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// Writes the reply.
pub fn reply(millis: u64) -> Result<String, String> {
    serde_json::to_string(&objects::Reply {
        requeue_after_millis: millis,
    })
    .map_err(|e| e.to_string())
}
