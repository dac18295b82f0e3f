// SPDX-License-Identifier: Apache-2.0

import { EMPTY, Reader, Text, bytes } from "./json";
import { START, hashName, hashText } from "./hash";

const NAME = bytes("name"), NAMESPACE = bytes("namespace"), LABELS = bytes("labels");
const TYPE = bytes("type"), STATUS = bytes("status"), REASON = bytes("reason"), CONDITIONS = bytes("conditions");
const METADATA = bytes("metadata"), SPEC = bytes("spec");
const QUANTITY = bytes("quantity"), PRICE = bytes("price"), CATEGORY = bytes("category"), TAGS = bytes("tags");
const PATH = bytes("path"), DEPTH = bytes("depth"), ITEM_COUNT = bytes("itemCount");

@final
export class Metadata {
  name: Text = EMPTY;
  namespace: Text = EMPTY;
  labels: u32 = 0;

  static read(r: Reader): Metadata {
    const m = new Metadata();
    for (let more = r.member(true); more; more = r.member(false)) {
      if (r.named(NAME)) m.name = r.text();
      else if (r.named(NAMESPACE)) m.namespace = r.text();
      else if (r.named(LABELS)) m.labels = readLabels(r);
      else r.skip();
    }
    return m;
  }
}

function readLabels(r: Reader): u32 {
  let sum: u32 = 0;
  for (let more = r.member(true); more; more = r.member(false)) {
    const name = hashName(START, r);
    sum += hashText(name, r.text());
  }
  return sum;
}

@final
export class Condition {
  type: Text = EMPTY;
  status: Text = EMPTY;
  reason: Text = EMPTY;

  static readAll(r: Reader): Condition[] {
    const list = new Array<Condition>();
    for (let more = r.element(true); more; more = r.element(false)) {
      const c = new Condition();
      for (let more = r.member(true); more; more = r.member(false)) {
        if (r.named(TYPE)) c.type = r.text();
        else if (r.named(STATUS)) c.status = r.text();
        else if (r.named(REASON)) c.reason = r.text();
        else r.skip();
      }
      list.push(c);
    }
    return list;
  }

  static fromStatus(r: Reader): Condition[] {
    let list: Condition[] = [];
    for (let more = r.member(true); more; more = r.member(false)) {
      if (r.named(CONDITIONS)) list = Condition.readAll(r);
      else r.skip();
    }
    return list;
  }
}

@final
export class Item {
  meta: Metadata = new Metadata();
  name: Text = EMPTY;
  category: Text = EMPTY;
  quantity: i64 = 0;
  price: i64 = 0;
  tags: Text[] = [];
  conditions: Condition[] = [];

  /** Reads an Item; null is null. */
  static read(r: Reader): Item | null {
    let more = r.member(true);
    if (!more) return null;
    const item = new Item();
    for (; more; more = r.member(false)) {
      if (r.named(METADATA)) item.meta = Metadata.read(r);
      else if (r.named(SPEC)) item.readSpec(r);
      else if (r.named(STATUS)) item.conditions = Condition.fromStatus(r);
      else r.skip();
    }
    return item;
  }

  private readSpec(r: Reader): void {
    for (let more = r.member(true); more; more = r.member(false)) {
      if (r.named(NAME)) this.name = r.text();
      else if (r.named(QUANTITY)) this.quantity = r.integer();
      else if (r.named(PRICE)) this.price = r.integer();
      else if (r.named(CATEGORY)) this.category = r.text();
      else if (r.named(TAGS)) {
        for (let more = r.element(true); more; more = r.element(false)) this.tags.push(r.text());
      } else r.skip();
    }
  }
}

@final
export class Category {
  meta: Metadata = new Metadata();
  name: Text = EMPTY;
  path: Text = EMPTY;
  depth: i64 = 0;
  itemCount: i64 = 0;
  conditions: Condition[] = [];

  static read(r: Reader): Category {
    const c = new Category();
    for (let more = r.member(true); more; more = r.member(false)) {
      if (r.named(METADATA)) c.meta = Metadata.read(r);
      else if (r.named(SPEC)) c.readSpec(r);
      else if (r.named(STATUS)) c.readStatus(r);
      else r.skip();
    }
    return c;
  }

  private readSpec(r: Reader): void {
    for (let more = r.member(true); more; more = r.member(false)) {
      if (r.named(NAME)) this.name = r.text();
      else r.skip();
    }
  }

  private readStatus(r: Reader): void {
    for (let more = r.member(true); more; more = r.member(false)) {
      if (r.named(PATH)) this.path = r.text();
      else if (r.named(DEPTH)) this.depth = r.integer();
      else if (r.named(ITEM_COUNT)) this.itemCount = r.integer();
      else if (r.named(CONDITIONS)) this.conditions = Condition.readAll(r);
      else r.skip();
    }
  }
}
