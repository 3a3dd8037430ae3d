/* The alarm card: draws what was judged, and keeps it true as time goes by. */

import { judge } from "./judge.js";
import { newsOf } from "./news.js";
import { Ring } from "./ring.js";
import { checkedOf, factsOf, nameOf, stateOf, wholeOf } from "./sentences.js";
import { STYLE } from "./style.js";
import { wordsOf } from "./words.js";

const LOOK_EVERY_MS = 1000;
const RETRY_AFTER_MS = 5000;
/* A page that works says by itself that news is old; so much later the style sheet says it of one that does not. */
const GRACE_S = 3;

/** What the dialogue of an alarm is opened for: the first of these that it has. */
const ENTITIES = {
  silent: ["binary_sensor.online", "sensor.last_connection"],
  test: ["binary_sensor.manual_test"],
  battery: ["binary_sensor.battery"],
};

export class AlarmsCard {
  #hass;
  #config = {};
  #words;
  #news;
  #unfollow = null;
  #timer = 0;
  #connected = false;
  #rows = new Map();
  #veil = null;
  #veiled = null;
  #parts;
  size = 3;

  /** @param {ShadowRoot} root what to draw in */
  constructor(root) {
    this.#parts = skeleton();
    root.replaceChildren(element("style", "", STYLE), this.#parts.card);
  }

  /** Take what Home Assistant gives with every change of any state; nearly always that is nothing to draw for. */
  update(hass, config) {
    const isNew = config !== this.#config || this.#hass?.locale !== hass.locale;
    this.#hass = hass;
    if (isNew) this.#reconfigure(config);
    if (this.#connected && this.#news !== newsOf(hass.connection)) this.#follow();
  }

  connect() {
    this.#connected = true;
    this.#timer ||= setInterval(this.draw, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", this.draw);
    if (this.#hass) this.#follow();
  }

  disconnect() {
    this.#connected = false;
    clearInterval(this.#timer);
    this.#timer = 0;
    document.removeEventListener("visibilitychange", this.draw);
    this.#unfollow?.();
    this.#unfollow = this.#news = null;
    this.#veil?.cancel();
    this.#veiled = null;
  }

  #follow() {
    this.#unfollow?.();
    this.#news = newsOf(this.#hass.connection);
    this.#unfollow = this.#news.follow(this.draw);
    this.draw();
  }

  #reconfigure(config) {
    this.#config = config;
    this.#parts.card.header = config.title || undefined;
    this.#parts.card.classList.toggle("compact", config.compact === true);
    this.#learn();
  }

  /** Take the words of who looks on; where they do not come, again and again, for without any nothing is shown. */
  async #learn() {
    const { locale } = this.#hass;
    try {
      const words = await wordsOf(this.#hass);
      // Those of a language that was chosen meanwhile are under way.
      if (locale === this.#hass.locale) this.#words = words;
    } catch {
      setTimeout(() => this.#learn(), RETRY_AFTER_MS);
    }
    this.draw();
  }

  /** Judge anew, and draw what is not drawn yet. */
  draw = () => {
    if (!this.#news || !this.#words) return;
    const verdict = judge(this.#news, this.#config);
    this.#drawWhole(verdict);
    this.#drawRows(verdict.rows);
    this.#watchTheClock(verdict);
    this.size = 2 + verdict.rows.length;
  };

  #drawWhole(verdict) {
    const { whole, ring, title, detail, alert, status, stopped } = this.#parts;
    const said = wholeOf(verdict, this.#words);
    const isUnheard = verdict.rows.some((row) => row.tone === verdict.tone) && !verdict.rows.some(isHeardAs(verdict.tone));
    setClass(whole, `whole ${verdict.tone} ${isUnheard ? "unheard" : ""}`);
    ring.show(verdict.tone);
    ring.element.style.display = verdict.tone in TONES_WITHOUT_RING ? "none" : "";
    setText(title, said.title);
    setText(detail, said.detail);
    setText(stopped, this.#words.say("stopped"));
    const isEmergency = verdict.tone === "emergency";
    const level = isEmergency && !isUnheard ? `${this.#words.say("emergency")}. ` : "";
    // Only what is new in a region is read out, so times that run stay out of it.
    const spoken = `${level}${said.title}${isUnheard ? `. ${said.detail}` : ""}`;
    setText(alert, isEmergency ? spoken : "");
    setText(status, isEmergency ? "" : spoken);
  }

  #drawRows(rows) {
    const homes = new Set(rows.map((row) => row.home)).size;
    const ids = new Set(rows.map((row) => row.alarm.id));
    for (const [id, drawn] of this.#rows) {
      if (ids.has(id)) continue;
      drawn.element.remove();
      this.#rows.delete(id);
    }
    const { list } = this.#parts;
    let there = list.firstChild;
    for (const row of rows) {
      const { id } = row.alarm;
      if (!this.#rows.has(id)) this.#rows.set(id, new AlarmRow((shown) => this.#open(shown)));
      const drawn = this.#rows.get(id);
      drawn.show(row, this.#words, homes > 1);
      if (drawn.element === there) there = there.nextSibling;
      else list.insertBefore(drawn.element, there);
    }
  }

  /** Let the style sheet cover the whole where no news comes in time: its clock is not ours, which may stand still. */
  #watchTheClock({ left }) {
    const isNews = this.#veiled !== this.#news.told;
    const isBelieved = left > 0 && left < Infinity;
    if (isBelieved && !isNews) return;
    this.#veil?.cancel();
    this.#veiled = this.#news.told;
    if (!isBelieved) return;
    const hidden = { opacity: 0, visibility: "hidden" };
    const frames = [hidden, { ...hidden, offset: 0.999 }, { opacity: 1, visibility: "visible" }];
    this.#veil = this.#parts.stopped.animate(frames, { duration: (left + GRACE_S) * 1000, fill: "forwards" });
  }

  #open({ alarm, tone, causes }) {
    const wanted = [...(ENTITIES[tone] ?? []), ...causes.map((cause) => `sensor.${cause}_level`), "sensor.smoke_level"];
    const key = [...wanted, ...Object.keys(alarm.entities)].find((each) => alarm.entities[each]);
    const detail = { entityId: alarm.entities[key] };
    this.#parts.card.dispatchEvent(new CustomEvent("hass-more-info", { detail, bubbles: true, composed: true }));
  }
}

const TONES_WITHOUT_RING = { waiting: 1, none: 1, refused: 1 };

const isHeardAs = (tone) => (row) => row.tone === tone && row.heard === "live";

/* To copy is quicker than to make. */
const BLANK_ROW = blankRow();

/** One alarm, as a button that opens its dialogue. */
class AlarmRow {
  #row;

  constructor(open) {
    this.element = BLANK_ROW.cloneNode(true);
    this.button = this.element.firstChild;
    this.ring = new Ring(this.button.firstChild);
    this.texts = [...this.button.lastChild.children];
    this.button.addEventListener("click", () => open(this.#row));
  }

  show(row, words, withHome) {
    this.#row = row;
    this.button.disabled = !Object.keys(row.alarm.entities).length;
    setClass(this.button, `alarm ${row.tone} ${row.heard === "live" ? "" : "unheard"} ${ringClass(row)}`);
    this.ring.show(row.tone);
    const name = nameOf(row, words);
    const called = withHome && row.home ? `${name} · ${row.home}` : name;
    // The line may end after the state.
    const said = [called, `${stateOf(row, words)} `, checkedOf(row, words), factsOf(row, words).join(" · ")];
    said.forEach((text, index) => setText(this.texts[index], text));
  }
}

function blankRow() {
  const [row, words] = [element("li"), element("span", "words")];
  const button = element("button", "alarm", "", { type: "button" });
  words.append(...["name", "state", "checked", "facts"].map((name) => element("span", name)));
  button.append(new Ring().element, words);
  row.append(button);
  return row;
}

/** The colour that the ring itself shows: only while it is heard, and where it does not say less than its words. */
function ringClass({ alarm, tone, heard }) {
  return heard === "live" && tone !== "emergency" && tone !== "warning" && alarm.ring ? `ring-${alarm.ring}` : "";
}

function skeleton() {
  const card = document.createElement("ha-card");
  const ring = new Ring();
  const [title, detail, stopped] = ["title", "detail", "stopped"].map((name) => element("p", name));
  const [alert, status] = ["alert", "status"].map((role) => element("div", "unseen", "", { role }));
  const whole = element("div", "whole waiting");
  const words = element("div", "words");
  const list = element("ul", "alarms", "", { role: "list" });
  words.append(title, detail);
  whole.append(ring.element, words, stopped);
  card.append(whole, list, alert, status);
  return { card, whole, ring, title, detail, stopped, alert, status, list };
}

function element(name, className = "", text = "", attributes = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setClass(node, className) {
  const tidy = className.trim().replace(/\s+/g, " ");
  if (node.className !== tidy) node.className = tidy;
}
