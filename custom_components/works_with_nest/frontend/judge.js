/* What is so, out of what was told: who is heard, how bad it is, and what comes first. No words, no drawing. */

/**
 * @typedef {import("./shapes").Row} Row
 * @typedef {import("./shapes").Verdict} Verdict
 */

/** @type {import("./shapes").Tone[]} */
const TONES = ["emergency", "warning", "silent", "test", "battery", "clear"];
/* What is not known is worse than ok, so that it is never taken for it. */
const SEVERITY = { ok: 0, warning: 2, emergency: 3 };
const BAD = 2;
const CAUSES = ["smoke", "carbon_monoxide"];
const NOTHING = { smoke: null, carbon_monoxide: null, testing: false, tested: null, battery: null, ring: null };

const severity = (level) => SEVERITY[level] ?? 1;
const worst = (thing) => CAUSES.map((cause) => thing[cause]).reduce((a, b) => (severity(b) > severity(a) ? b : a));

/**
 * Judge all that a card shows.
 * @param {import("./news.js").News} news
 * @param {{homes?: string[], alarms?: string[]}} config ids of devices; without any, all there is
 * @returns {Verdict}
 */
export function judge(news, config) {
  if (!news.links) return { tone: news.refused ? "refused" : "waiting", rows: [], down: [], unclear: [], withheld: false, age: 0, left: 0 };
  const verdict = { rows: [], down: [], unclear: [], withheld: false, age: 0, left: Infinity };
  const chosen = new Chosen(config);
  for (const link of news.links.values()) {
    const state = stateOf(news, link);
    const before = verdict.rows.length;
    for (const home of link.homes) addHome(verdict, home, state, chosen);
    if (verdict.rows.length === before) continue;
    if (state.heard === "link_down") verdict.down.push(link.title);
    if (state.heard) continue;
    verdict.age = Math.max(verdict.age, state.age);
    verdict.left = Math.min(verdict.left, link.live_for - state.age);
  }
  for (const id of chosen.left()) verdict.rows.push(rowOf({ ...NOTHING, id, name: "", heard: "missing", since: null, entities: {} }, "", null));
  verdict.rows.sort(compare);
  return { ...verdict, tone: toneOf(verdict) };
}

/** How a link is heard at this moment: null for well, else why not. */
function stateOf(news, link) {
  const age = news.age(link);
  const heard = !news.reachable ? "no_connection" : link.live && age <= link.live_for ? null : "link_down";
  return { heard, age, since: link.last_contact };
}

/** The things that a person chose to see, each crossed out once it is found. */
class Chosen {
  constructor({ homes, alarms }) {
    // Written by hand it may be a single one, or nothing behind its name.
    this.ids = new Set([homes ?? [], alarms ?? []].flat(2).map(String));
    this.found = new Set();
  }

  has(id) {
    if (this.ids.has(id)) this.found.add(id);
    return !this.ids.size || this.ids.has(id);
  }

  left() {
    return [...this.ids].filter((id) => !this.found.has(id));
  }
}

function addHome(verdict, home, state, chosen) {
  const whole = chosen.has(home.id);
  const alarms = home.alarms.filter((alarm) => chosen.has(alarm.id) || whole);
  verdict.rows.push(...alarms.map((alarm) => rowOf(alarm, home.name, state)));
  if (home.withheld.filter((id) => chosen.has(id) || whole).length) verdict.withheld = true;
  if (!whole || home.withheld.includes(home.id)) return;
  // A home may tell of smoke while none of its alarms does.
  const more = CAUSES.filter((cause) => severity(home[cause]) > toldOf(cause, home.alarms));
  if (more.length) verdict.rows.push(rowOf(homeAsAlarm(home, more), home.name, state));
  else if (!home.understood && !state.heard && alarms.length) verdict.unclear.push(home.name);
}

const toldOf = (cause, alarms) => Math.max(BAD - 1, ...alarms.map((alarm) => severity(alarm[cause])));

function homeAsAlarm({ id, name, entities, ...home }, causes) {
  const levels = Object.fromEntries(causes.map((cause) => [cause, home[cause]]));
  return { ...NOTHING, id, name, named: true, ...levels, entities, heard: "live", since: null };
}

/** @returns {Row} */
function rowOf(alarm, home, state) {
  const level = worst(alarm);
  const heard = state?.heard ?? alarm.heard;
  const since = heard === "live" ? null : (alarm.since ?? (state?.heard ? state.since : null));
  const causes = CAUSES.filter((cause) => alarm[cause] === level && severity(level) >= BAD);
  const row = { alarm, home, level, causes, heard, since, age: state?.age ?? 0 };
  return { ...row, tone: rowTone(row) };
}

function rowTone({ alarm, level, heard }) {
  if (severity(level) >= BAD) return level;
  if (heard !== "live" || level !== "ok") return "silent";
  if (alarm.testing) return "test";
  return alarm.battery === "ok" ? "clear" : "battery";
}

const place = (row) => TONES.indexOf(row.tone) * 2 + (row.heard === "live" ? 0 : 1);
const named = (row) => row.alarm.room ?? row.alarm.name;
const compare = (a, b) => place(a) - place(b) || named(a).localeCompare(named(b)) || a.alarm.id.localeCompare(b.alarm.id);

function toneOf({ rows, unclear, withheld }) {
  if (!rows.length) return "none";
  const tone = rows[0].tone;
  if (unclear.length && TONES.indexOf(tone) > TONES.indexOf("silent")) return "silent";
  return withheld && (tone === "battery" || tone === "clear") ? "partial" : tone;
}
