/* The dashboard: a view for each linked home, out of Home Assistant's own cards and the alarm card. */

import { newsOf } from "./news.js";
import { nameOf } from "./sentences.js";
import { wordsOf } from "./words.js";

/** @typedef {import("./shapes").Home} Home */

/** Generate the dashboard of all homes that are linked at this moment. */
export async function generate(hass) {
  const [links, words] = await Promise.all([firstNews(hass.connection), wordsOf(hass)]);
  const homes = links.flatMap((link) => link.homes);
  return { views: homes.length ? homes.map((home) => viewOf(home, words)) : [emptyView(words)] };
}

/** @returns {Promise<import("./shapes").Link[]>} */
function firstNews(connection) {
  const news = newsOf(connection);
  return new Promise((resolve) => {
    const unfollow = news.follow(look);
    look();
    function look() {
      if (!(news.links && news.reachable) && !news.refused) return;
      resolve([...(news.links ?? new Map()).values()]);
      // Not before follow has returned what ends it.
      queueMicrotask(() => unfollow());
    }
  });
}

function emptyView(words) {
  const title = words.of("dashboard", "no_home");
  const content = words.of("dashboard", "no_home_why");
  return { title, path: "home", type: "sections", sections: [{ type: "grid", cards: [{ type: "markdown", title, content }] }] };
}

/** @param {Home} home */
function viewOf(home, words) {
  const sections = [presence, alarms, thermostats, upkeep, link].map((section) => section(home, words)).filter(Boolean);
  return { title: home.name, path: home.id, icon: "mdi:home", type: "sections", max_columns: 3, sections };
}

/** A section with a heading, or nothing where there is nothing to show. */
function section(heading, icon, cards) {
  const shown = cards.filter(Boolean);
  return shown.length ? { type: "grid", cards: [{ type: "heading", heading, icon }, ...shown] } : null;
}

const WIDE = { grid_options: { columns: "full" } };
const tile = (entity, options) => entity && { type: "tile", entity, name: { type: "entity" }, ...options };

function presence({ entities }, words) {
  const control = { features: [{ type: "select-options" }], ...WIDE };
  return section(words.of("dashboard", "presence"), "mdi:home-account", [
    tile(entities["select.presence_mode"], control),
    tile(entities["binary_sensor.presence"]),
    tile(entities["sensor.eta_begin"]),
  ]);
}

function alarms({ id, alarms: all }, words) {
  const card = { type: "custom:works-with-nest-alarms", homes: [id], ...WIDE };
  return section(words.of("dashboard", "alarms"), "mdi:smoke-detector-variant", [all.length && card]);
}

function thermostats({ thermostats: all }, words) {
  const cards = byName(all, words).flatMap(([name, { entities }]) => {
    const { "climate.climate": entity, "sensor.humidity": humidity } = entities;
    const graph = [entity, humidity].filter(Boolean).map((each) => ({ entity: each, name }));
    return [
      entity && { type: "thermostat", entity, name, ...WIDE },
      graph.length && { type: "history-graph", hours_to_show: 24, entities: graph, ...WIDE },
    ];
  });
  return section(words.of("dashboard", "thermostats"), "mdi:thermostat", cards);
}

function upkeep({ entities, alarms: all }, words) {
  const list = (title, key) => {
    const found = byName(all, words).filter(([, alarm]) => alarm.entities[key]);
    const rows = found.map(([name, alarm]) => ({ entity: alarm.entities[key], name }));
    return rows.length && { type: "entities", title, entities: rows, ...WIDE };
  };
  return section(words.of("dashboard", "upkeep"), "mdi:battery-check", [
    tile(entities["binary_sensor.alarm_monitoring"], WIDE),
    list(words.of("dashboard", "batteries"), "binary_sensor.battery"),
    list(words.of("dashboard", "tests"), "sensor.last_manual_test"),
  ]);
}

function link({ entities }, words) {
  return section(words.of("dashboard", "link"), "mdi:link-variant", [
    tile(entities["binary_sensor.link"]),
    tile(entities["sensor.last_contact"]),
  ]);
}

const byName = (devices, words) =>
  devices.map((device) => [nameOf({ alarm: device }, words), device]).sort(([a], [b]) => a.localeCompare(b));
