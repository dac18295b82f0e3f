// SPDX-License-Identifier: Apache-2.0

//! FNV-1a of 32 bits over what was read.

use crate::objects::{Category, Condition, Item, Labels};

#[derive(Clone, Copy)]
struct Hash(u32);

const START: Hash = Hash(2_166_136_261);

impl Hash {
    fn byte(self, b: u8) -> Self {
        Hash((self.0 ^ u32::from(b)).wrapping_mul(16_777_619))
    }
    fn bytes(self, s: &str) -> Self {
        s.bytes().fold(self, Self::byte)
    }
    fn text(self, s: &str) -> Self {
        self.bytes(s).byte(0xff)
    }
    fn number(self, n: Option<i64>) -> Self {
        n.unwrap_or_default()
            .to_le_bytes()
            .into_iter()
            .fold(self, Self::byte)
    }
    fn conditions(self, list: &[Condition]) -> Self {
        list.iter()
            .fold(self, |h, c| h.text(&c.kind).text(&c.status).text(&c.reason))
    }
}

fn labels(l: &Labels) -> u32 {
    l.0.iter().fold(0, |sum, (name, value)| {
        sum.wrapping_add(START.text(&name.0).text(&value.0).0)
    })
}

fn availability(item: &Item) -> &'static str {
    let tagged = |tag: &str| item.spec.tags.iter().any(|t| t.0 == tag);
    if tagged("discontinued") {
        "Discontinued"
    } else if item.spec.quantity.unwrap_or_default() == 0 {
        "OutOfStock"
    } else if tagged("reserved") {
        "Reserved"
    } else {
        "Available"
    }
}

pub fn of(item: &Item, category: &Category) -> u32 {
    let h = START.text(availability(item));
    let h = h
        .bytes(&category.status.path)
        .bytes("/")
        .text(&item.metadata.name);
    let h = h.text(&item.spec.name).text(&category.spec.name);
    let h = h.number(item.spec.quantity).number(item.spec.price);
    let h = h
        .number(category.status.depth)
        .number(category.status.item_count);
    let h = item.spec.tags.iter().fold(h, |h, tag| h.text(&tag.0));
    let h = h
        .conditions(&item.status.conditions)
        .conditions(&category.status.conditions);
    h.0.wrapping_add(labels(&item.metadata.labels))
        .wrapping_add(labels(&category.metadata.labels))
}
