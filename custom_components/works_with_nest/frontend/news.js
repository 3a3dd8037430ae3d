/* What the integration tells of all links: one subscription for each connection, whoever looks on. */

import { Instant } from "./instant.js";

const RETRY_AFTER_MS = 5_000;
/* What may be so late was held up on its way, or a clock was set. */
const LATE_S = 5;

export class News {
  /** @type {Map<string, import("./shapes").Link> | null} null until something was told */
  links = null;
  /** Whether what was told can still be followed by something newer. */
  reachable = false;
  /** Whether the integration does not know the command. */
  refused = false;
  /** @type {Instant} */
  told = Instant.now();
  /** How many seconds that may have been on its way at most: while a machine sleeps, messages wait. */
  delay = 0;

  /** When this browser asked, by its own clocks, and when that was answered, by Home Assistant's. */
  #asked;
  #answered;
  #listeners = new Set();
  #connection;
  #unsubscribe = null;
  #retry = 0;

  constructor(connection) {
    this.#connection = connection;
  }

  /** Call a listener at all news; return what ends that. */
  follow(listener) {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (!this.#listeners.size) this.#end();
    };
  }

  /** How old the news of a link is now, in seconds. */
  age(link) {
    return link.age === null ? Infinity : link.age + this.delay + this.told.age();
  }

  #begin() {
    // What was so when somebody looked last may be over.
    this.refused = false;
    this.#connection.addEventListener("disconnected", this.#lost);
    this.#connection.addEventListener("ready", this.#subscribe);
    // While it is not there, whatever is asked waits; and when it is there, it is asked.
    if (this.#connection.connected !== false) this.#subscribe();
  }

  #end() {
    clearTimeout(this.#retry);
    this.#connection.removeEventListener("disconnected", this.#lost);
    this.#connection.removeEventListener("ready", this.#subscribe);
    this.#leave();
    this.reachable = false;
  }

  #leave() {
    this.#unsubscribe?.then((unsubscribe) => unsubscribe()).catch(() => {});
    this.#unsubscribe = null;
  }

  /* Not by the connection itself, which gives up where Home Assistant answers before the integration is there. */
  #subscribe = () => {
    clearTimeout(this.#retry);
    const take = (message) => this.#unsubscribe === subscribed && this.#take(message);
    const command = { type: "works_with_nest/subscribe" };
    this.#asked = Instant.now();
    this.#answered = null;
    const subscribed = this.#connection.subscribeMessage(take, command, { resubscribe: false });
    this.#unsubscribe = subscribed;
    subscribed.catch(() => this.#unsubscribe === subscribed && this.#failed());
  };

  #failed() {
    this.refused = true;
    this.#retry = setTimeout(this.#subscribe, RETRY_AFTER_MS);
    this.#tell();
  }

  #lost = () => {
    this.reachable = false;
    this.#tell();
  };

  #take({ links, sent }) {
    this.#weigh(sent);
    const before = this.links ?? new Map();
    this.links = new Map(Object.entries(links).map(([id, link]) => [id, { homes: [], ...before.get(id), ...link }]));
    this.told = Instant.now();
    this.reachable = true;
    this.refused = false;
    this.#tell();
  }

  /** Judge how late comes what was sent: nothing is answered before it is asked, or here before it is sent. If late, ask anew. */
  #weigh(sent) {
    this.#answered = Math.max(this.#answered ?? sent, sent - this.#asked.age());
    this.delay = this.#asked.age() - (sent - this.#answered);
    if (this.delay <= LATE_S) return;
    this.#leave();
    this.#subscribe();
  }

  #tell() {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** @type {WeakMap<object, News>} */
const known = new WeakMap();

/** The news that come over a connection. */
export function newsOf(connection) {
  if (!known.has(connection)) known.set(connection, new News(connection));
  return known.get(connection);
}
