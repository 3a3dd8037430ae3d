/* The form by which a person sets up the card; Home Assistant draws it. */

const TEXTS = "component.works_with_nest.config_panel.editor.";
const devices = (model) => ({ device: { multiple: true, filter: [{ integration: "works_with_nest", model }] } });

export const FORM = {
  schema: [
    { name: "title", selector: { text: {} } },
    { name: "homes", selector: devices("Home") },
    { name: "alarms", selector: devices("Protect") },
    { name: "compact", selector: { boolean: {} } },
  ],
  // The preview beside the form has loaded the texts.
  computeLabel: ({ name }, localize) => localize(TEXTS + name),
  computeHelper: ({ name }, localize) => localize(`${TEXTS}${name}_help`) || undefined,
  assertConfig({ title = "", homes = [], alarms = [], compact = false }) {
    const fits = typeof title === "string" && typeof compact === "boolean" && isList(homes) && isList(alarms);
    if (!fits) throw new Error("title: text, homes and alarms: lists of devices, compact: true or false");
  },
};

const isList = (value) => Array.isArray(value) && value.every((each) => typeof each === "string");
