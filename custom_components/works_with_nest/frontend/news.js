/* What the integration tells of all links: one subscription for each connection, whoever looks on. */

import { Instant } from "./instant.js";

/**
 * @typedef {"ok" | "warning" | "emergency" | null} Level
 * @typedef {"live" | "unclear" | "offline" | "missing" | "link_down"} Heard
 *
 * @typedef {object} Alarm what an alarm says, or said last; times in seconds since 1970
 * @property {string} id of its device
 * @property {string} name
 * @property {boolean} named whether a person gave it this name here
 * @property {string | null} room
 * @property {string | null} label
 * @property {Record<string, string>} entities ids by platform and key
 * @property {Heard} heard
 * @property {number | null} since when it was last heard of
 * @property {Level} smoke
 * @property {Level} carbon_monoxide
 * @property {boolean} testing
 * @property {number | null} tested
 * @property {"ok" | "replace" | null} battery
 * @property {"gray" | "green" | "yellow" | "red" | null} ring
 *
 * @typedef {object} Home
 * @property {string} id
 * @property {string} name
 * @property {Level} smoke
 * @property {Level} carbon_monoxide
 * @property {boolean} understood
 * @property {Record<string, string>} entities
 * @property {Alarm[]} alarms
 * @property {{id: string, name: string, named: boolean, room: string | null, entities: Record<string, string>}[]} thermostats
 *
 * @typedef {object} Link
 * @property {string} title
 * @property {boolean} live
 * @property {number | null} age seconds, when it was told
 * @property {number} live_for
 * @property {number | null} last_contact
 * @property {Home[]} homes
 */

const RETRY_AFTER_MS = 5_000;

export class News {
  /** @type {Map<string, Link> | null} null until something was told */
  links = null;
  /** Whether what was told can still be followed by something newer. */
  reachable = false;
  /** Whether the integration does not know the command. */
  refused = false;
  /** @type {Instant} */
  told = Instant.now();

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
    return link.age === null ? Infinity : link.age + this.told.age();
  }

  #begin() {
    // What was so when somebody looked last may be over.
    this.refused = false;
    this.#connection.addEventListener("disconnected", this.#lost);
    this.#connection.addEventListener("ready", this.#subscribe);
    this.#subscribe();
  }

  #end() {
    clearTimeout(this.#retry);
    this.#connection.removeEventListener("disconnected", this.#lost);
    this.#connection.removeEventListener("ready", this.#subscribe);
    this.#unsubscribe?.then((unsubscribe) => unsubscribe()).catch(() => {});
    this.#unsubscribe = null;
    this.reachable = false;
  }

  /* Not by the connection itself, which gives up where Home Assistant answers before the integration is there. */
  #subscribe = () => {
    clearTimeout(this.#retry);
    const take = (message) => this.#unsubscribe === subscribed && this.#take(message);
    const command = { type: "works_with_nest/subscribe" };
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

  #take({ links }) {
    const before = this.links ?? new Map();
    this.links = new Map(Object.entries(links).map(([id, link]) => [id, { homes: [], ...before.get(id), ...link }]));
    this.told = Instant.now();
    this.reachable = true;
    this.refused = false;
    this.#tell();
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
