/* The texts in the person's language, out of the integration's translations, and times and numbers as they read them. */

const PREFIX = "component.works_with_nest.config_panel.";
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
/* Finer would change every second, and nobody reads it. */
const SECONDS_STEP = 5;

/** @type {Map<string, Promise<Words>>} */
const loaded = new Map();

/** The words for who looks on. */
export function wordsOf(hass) {
  const key = JSON.stringify([hass.locale, hass.config.time_zone]);
  if (!loaded.has(key)) {
    const words = textsOf(hass).then((localize) => new Words(localize, hass));
    words.catch(() => loaded.delete(key));
    loaded.set(key, words);
  }
  return loaded.get(key);
}

/** Home Assistant's own way to the texts, and past it where it takes texts that it failed to get for loaded. */
async function textsOf(hass) {
  const [category, integration] = ["config_panel", "works_with_nest"];
  const localize = await hass.loadBackendTranslation(category, integration).catch(() => null);
  if (localize?.(`${PREFIX}card.alarm`)) return localize;
  const { language } = hass.locale;
  const { resources } = await hass.callWS({ type: "frontend/get_translations", language, category, integration: [integration] });
  return (key, values = {}) => (resources[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export class Words {
  #localize;
  #plural;
  #list;
  #ago;
  #date;
  #time;
  #dateTime;

  constructor(localize, { locale, config }) {
    const { language } = locale;
    const zone = locale.time_zone === "server" ? { timeZone: config.time_zone } : {};
    const hours = { 12: { hour12: true }, 24: { hour12: false, hourCycle: "h23" } }[locale.time_format] ?? {};
    const minutes = { hour: "2-digit", minute: "2-digit", ...hours, ...zone };
    const days = { day: "numeric", month: "short", ...zone };
    this.#localize = localize;
    this.#plural = new Intl.PluralRules(language);
    this.#list = new Intl.ListFormat(language);
    this.#ago = new Intl.RelativeTimeFormat(language, { style: "narrow", numeric: "auto" });
    this.#date = new Intl.DateTimeFormat(language, { ...days, year: "numeric" });
    this.#time = new Intl.DateTimeFormat(locale.time_format === "system" ? undefined : language, minutes);
    this.#dateTime = new Intl.DateTimeFormat(language, { ...days, ...minutes });
  }

  /** A text of the card, with its values. */
  say(key, values) {
    return this.#localize(`${PREFIX}card.${key}`, values);
  }

  /** A text of another part. */
  of(part, key) {
    return this.#localize(`${PREFIX}${part}.${key}`);
  }

  /** A text that depends on a number. */
  count(key, count, values) {
    const form = this.#plural.select(count);
    const known = ["one", "few", "many"].includes(form) ? form : "other";
    return this.say(`${key}_${known}`, { count: String(count), ...values });
  }

  list(words) {
    return this.#list.format(words);
  }

  /** How long ago something was, given seconds. */
  ago(seconds) {
    for (const [unit, length] of UNITS) if (seconds >= length) return this.#ago.format(-Math.floor(seconds / length), unit);
    return this.#ago.format(-Math.floor(seconds / SECONDS_STEP) * SECONDS_STEP || 0, "second");
  }

  date(seconds) {
    return this.#date.format(seconds * 1000);
  }

  /** The time of today, with the date for any other day. */
  time(seconds) {
    const isToday = this.#date.format(seconds * 1000) === this.#date.format(Date.now());
    return (isToday ? this.#time : this.#dateTime).format(seconds * 1000);
  }
}
