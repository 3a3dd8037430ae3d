/* What is so, as sentences: of the whole, and of each alarm. */

/**
 * @typedef {import("./shapes").Verdict} Verdict
 * @typedef {import("./shapes").Row} Row
 * @typedef {import("./words.js").Words} Words
 */

const HEARD = ["live", "unclear"];

/** What people call an alarm: as they named it, else the room it is in. */
export function nameOf({ alarm }, words) {
  const { named, name, room, label } = alarm;
  if (named || !room) return name || words.say("alarm");
  return label ? `${room} (${label})` : room;
}

/** The state of an alarm, in words. */
export function stateOf(row, words) {
  const state = words.say(stateKey(row));
  if (row.tone === "battery") return `${state} · ${batteryOf(row, words)}`;
  return HEARD.includes(row.heard) ? state : notHeard(state, row.since, words);
}

const batteryOf = ({ alarm: { battery } }, words) => words.say(`battery_${battery ?? "unknown"}`);

/** When an alarm was heard last, where that is now. */
export function checkedOf(row, words) {
  return row.heard === "live" ? words.say("checked_at", { ago: words.ago(row.age) }) : "";
}

function stateKey({ alarm, level, heard }) {
  if (level === "emergency" || level === "warning") return level;
  if (heard !== "live") return heard;
  return alarm.testing ? "testing" : "clear";
}

function notHeard(state, since, words) {
  return since === null ? words.say("silent", { state }) : words.say("silent_since", { state, time: words.time(since) });
}

/** What else is to be said of an alarm. What an alarm that is not heard said of its battery may not be so any more. */
export function factsOf(row, words) {
  const { battery, tested } = row.alarm;
  const isTold = row.heard === "live" ? row.tone !== "battery" : battery === "replace";
  return [
    ...row.causes.map((cause) => words.say(cause)),
    isTold ? batteryOf(row, words) : "",
    tested === null ? words.say("untested") : words.say("tested", { date: words.date(tested) }),
  ].filter(Boolean);
}

/**
 * The whole: a title, and what is to be said below it.
 * @param {Verdict} verdict
 * @param {Words} words
 * @returns {{title: string, detail: string}}
 */
export function wholeOf(verdict, words) {
  const { title, detail } = WHOLE[verdict.tone](verdict, words);
  const withheld = verdict.withheld && verdict.rows.length ? words.say("withheld") : "";
  return { title, detail: [detail, withheld].filter(Boolean).join(". ") };
}

const WHOLE = {
  waiting: (_, words) => ({ title: words.say("waiting"), detail: "" }),
  refused: (_, words) => ({ title: words.say("refused"), detail: words.say("refused_why") }),
  none: ({ withheld }, words) =>
    withheld
      ? { title: words.say("all_withheld"), detail: "" }
      : { title: words.say("no_alarms"), detail: words.say("no_alarms_why") },
  emergency: (verdict, words) => alarming(verdict, "emergency", words),
  warning: (verdict, words) => alarming(verdict, "warning", words),
  silent,
  test: (verdict, words) => ({
    title: words.say("test_in", { room: rooms(verdict.rows, "test", words) }),
    detail: checked(verdict, words),
  }),
  battery: (verdict, words) => clear("all_clear", verdict, words),
  clear: (verdict, words) => clear("all_clear", verdict, words),
  partial: (verdict, words) => clear("clear_in_part", verdict, words),
};

function clear(title, verdict, words) {
  const detail = [checked(verdict, words), batteries(verdict, words)].filter(Boolean).join(". ");
  return { title: words.say(title), detail };
}

/** Where it smokes; in the words of all that do, and of since when nobody hears of them where nobody does. */
function alarming({ rows, age }, level, words) {
  const bad = rows.filter((row) => row.tone === level);
  const places = (cause) => words.list(bad.filter((row) => row.causes.includes(cause)).map((row) => nameOf(row, words)));
  const causes = [...new Set(bad.flatMap((row) => row.causes))];
  const title = causes.map((cause) => words.say(`${level}_${cause}`, { room: places(cause) })).join(". ");
  const state = words.say(level);
  const live = bad.filter((row) => row.heard === "live");
  const detail = live.length ? words.say("checked", { state, ago: words.ago(age) }) : notHeard(state, latest(bad), words);
  return { title, detail };
}

/** How many are not heard, and why. */
function silent({ rows, down, unclear }, words) {
  const quiet = rows.filter((row) => row.tone === "silent");
  const unheard = quiet.filter((row) => !HEARD.includes(row.heard));
  const detail = reason(quiet, down, unclear, words);
  if (!unheard.length) return { title: words.say("unclear"), detail };
  const since = latest(unheard);
  if (since === null) return { title: words.say("silent", { state: words.count("alarms", unheard.length) }), detail };
  return { title: words.count("unheard", unheard.length, { time: words.time(since) }), detail };
}

function reason(quiet, down, unclear, words) {
  if (quiet.some((row) => row.heard === "no_connection")) return words.say("no_connection");
  if (down.length) return words.say("link_down_of", { home: words.list(down) });
  // What a home says is often not understood because one of its alarms is silent.
  return quiet.length ? words.list(quiet.map((row) => nameOf(row, words))) : words.say("home_unclear", { home: words.list(unclear) });
}

/** The time since which none of them was heard; null where nobody can say it of each. */
function latest(rows) {
  const times = rows.map((row) => row.since);
  return times.includes(null) ? null : Math.max(...times);
}

const rooms = (rows, tone, words) => words.list(rows.filter((row) => row.tone === tone).map((row) => nameOf(row, words)));

const checked = ({ rows, age }, words) => words.say("checked", { state: words.count("alarms", rows.length), ago: words.ago(age) });

function batteries({ rows }, words) {
  const of = (battery) => rows.filter((row) => row.tone === "battery" && row.alarm.battery === battery);
  return [["replace", of("replace")], ["unknown", of(null)]]
    .filter(([, found]) => found.length)
    .map(([key, found]) => `${words.say(`battery_${key}`)}: ${words.list(found.map((row) => nameOf(row, words)))}`)
    .join(". ");
}
