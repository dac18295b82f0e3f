// SPDX-License-Identifier: Apache-2.0

//! What is read and written. Texts are borrowed from the input unless they hold escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A text that borrows where it can, also inside lists, where serde's own Cow always copies.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

#[derive(Deserialize)]
pub struct Request<'a> {
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub object: Option<Item<'a>>,
}

#[derive(Deserialize)]
pub struct Item<'a> {
    #[serde(borrow)]
    pub metadata: Metadata<'a>,
    #[serde(borrow)]
    pub spec: ItemSpec<'a>,
    #[serde(borrow, default)]
    pub status: ItemStatus<'a>,
}

#[derive(Deserialize)]
pub struct Metadata<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    pub labels: Labels<'a>,
}

#[derive(Deserialize)]
pub struct ItemSpec<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub quantity: Option<i64>,
    pub price: Option<i64>,
    #[serde(borrow, default)]
    pub category: Cow<'a, str>,
    #[serde(borrow, default)]
    pub tags: Vec<Text<'a>>,
}

#[derive(Deserialize, Default)]
pub struct ItemStatus<'a> {
    #[serde(borrow, default)]
    pub conditions: Vec<Condition<'a>>,
}

#[derive(Deserialize)]
pub struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
}

#[derive(Deserialize)]
pub struct Category<'a> {
    #[serde(borrow)]
    pub metadata: Metadata<'a>,
    #[serde(borrow)]
    pub spec: CategorySpec<'a>,
    #[serde(borrow, default)]
    pub status: CategoryStatus<'a>,
}

#[derive(Deserialize)]
pub struct CategorySpec<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct CategoryStatus<'a> {
    #[serde(borrow, default)]
    pub path: Cow<'a, str>,
    pub depth: Option<i64>,
    pub item_count: Option<i64>,
    #[serde(borrow, default)]
    pub conditions: Vec<Condition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Key<'a> {
    pub api_version: &'a str,
    pub kind: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    pub requeue_after_millis: u64,
}

/// Labels in the order of the input; a map would only cost.
#[derive(Default)]
pub struct Labels<'a>(pub Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("labels")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Labels(pairs))
            }
        }
        d.deserialize_map(Pairs)
    }
}
