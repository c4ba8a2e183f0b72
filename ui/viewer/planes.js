// Packed planes of ui/shared/plane_store.py, each fetched once and kept by its name.

import { readMessage } from "./message.js";

const GONE = "The server no longer has this slice.";

export class PlaneLoader {
  constructor() {
    this.kept = new Map(); // promises of bytes by name
  }

  // Planes lie with this store from now on; of those that are here only `names` are kept.
  use(store, names) {
    this.store = store;
    const wanted = new Set(names);
    for (const name of this.kept.keys()) if (!wanted.has(name)) this.kept.delete(name);
  }

  // Fetch what is not here yet, as one request.
  want(names) {
    const missing = [...new Set(names)].filter((name) => name && !this.kept.has(name));
    if (!missing.length) return;
    const answer = this.fetch(missing);
    for (const name of missing) {
      const planes = answer.then((part) => part(name) ?? Promise.reject(new Error(GONE)));
      planes.catch(() => this.kept.get(name) === planes && this.kept.delete(name)); // asked for again when next looked at
      this.kept.set(name, planes);
    }
  }

  // What failed, perhaps asked for together with others or from an older store, is asked for once more.
  async get(name) {
    this.want([name]);
    try {
      return (await this.kept.get(name)) ?? null;
    } catch {
      this.want([name]);
      return (await this.kept.get(name)) ?? null;
    }
  }

  async fetch(names) {
    const address = new URL(`planes/${this.store}?names=${names.join(",")}`, document.baseURI);
    const answer = await fetch(address);
    if (!answer.ok || answer.status === 204) throw new Error(GONE);
    return readMessage(new Uint8Array(await answer.arrayBuffer())).part;
  }
}
