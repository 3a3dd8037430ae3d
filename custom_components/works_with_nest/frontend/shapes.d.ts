/* What the modules hand to each other. No browser loads this file. Times are in seconds since 1970. */

export type Level = "ok" | "warning" | "emergency" | null;
export type Heard = "live" | "unclear" | "offline" | "missing" | "link_down";
export type Tone = "emergency" | "warning" | "silent" | "test" | "battery" | "clear";

/** The ids of entities by platform and key: "sensor.smoke_level". */
export type Entities = Record<string, string>;

/** What is told of a link. */
export interface Link {
  title: string;
  live: boolean;
  /** seconds since a sign of life, when it was told */
  age: number | null;
  /** seconds for which news may be believed */
  live_for: number;
  last_contact: number | null;
  homes: Home[];
}

export interface Home {
  id: string;
  name: string;
  /** as the home itself says */
  smoke: Level;
  carbon_monoxide: Level;
  /** whether all that it says of its alarms is understood */
  understood: boolean;
  entities: Entities;
  alarms: Alarm[];
  thermostats: Device[];
  /** ids of the home and of alarms of which nothing may be told to who looks on */
  withheld: string[];
}

export interface Device {
  id: string;
  name: string;
  /** whether a person gave it this name here */
  named: boolean;
  room: string | null;
  entities: Entities;
}

/** What an alarm says, or said last. */
export interface Alarm extends Device {
  label: string | null;
  heard: Heard;
  /** when it was last heard of, null where it is heard or nobody can say */
  since: number | null;
  smoke: Level;
  carbon_monoxide: Level;
  testing: boolean;
  /** when it last passed a test */
  tested: number | null;
  battery: "ok" | "replace" | null;
  ring: "gray" | "green" | "yellow" | "red" | null;
}

/** An alarm as it stands now. */
export interface Row {
  alarm: Alarm;
  /** its name */
  home: string;
  level: Level;
  /** of its level: smoke, carbon_monoxide */
  causes: string[];
  heard: Heard | "no_connection";
  since: number | null;
  /** of the news, in seconds */
  age: number;
  tone: Tone;
}

export interface Verdict {
  /** of the whole */
  tone: Tone | "partial" | "waiting" | "none" | "refused";
  /** worst first */
  rows: Row[];
  /** titles of the links that are not heard */
  down: string[];
  /** names of the homes that say what is not understood */
  unclear: string[];
  /** whether there is more, which may not be told */
  withheld: boolean;
  /** of the oldest news that may be believed, in seconds */
  age: number;
  /** seconds for which all of that may be, Infinity where there is none */
  left: number;
}
