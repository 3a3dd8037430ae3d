/* On every page: fetches the rest on first use. */

const CARD = "works-with-nest-alarms";
/* Texts of entities are there at once. */
const TEXT = "component.works_with_nest.entity.binary_sensor.alarm_monitoring.name";
const app = document.querySelector("home-assistant");

/** Keeps what it is given until the card is here. */
class AlarmsElement extends HTMLElement {
  static getConfigForm = async () => (await import("./editor.js")).FORM;
  getCardSize = () => this.card?.size ?? 3;
  getGridOptions = () => ({ columns: 12, min_columns: 6 });

  setConfig(config) {
    this.config = config;
    this.pass();
  }

  set hass(hass) {
    this.given = hass;
    this.pass();
  }

  /* What did not come is fetched anew. */
  pass() {
    const take = ({ AlarmsCard }) => {
      this.card = new AlarmsCard(this.attachShadow({ mode: "open" }));
      if (this.isConnected) this.connectedCallback();
    };
    this.load ??= import("./card.js").then(take, () => (this.load = null));
    if (this.given && this.config) this.card?.update(this.given, this.config);
  }

  connectedCallback() {
    this.card?.connect();
    this.pass();
  }

  disconnectedCallback() {
    this.card?.disconnect();
  }
}

class Strategy extends HTMLElement {
  static registryDependencies = ["entities", "devices", "areas"];
  static generate = async (_, hass) => (await import("./strategy.js")).generate(hass);
}

/* Home Assistant replaces the registry of elements. */
if (app) await customElements.whenDefined(app.localName);

/* Another copy may be here. */
if (!customElements.get(CARD)) {
  customElements.define(CARD, AlarmsElement);
  customElements.define("ll-strategy-dashboard-works-with-nest", Strategy);
  (window.customCards ??= []).push({
    type: CARD,
    get name() {
      return `Works with Nest: ${app.hass.localize(TEXT)}`;
    },
    preview: true,
  });
  (window.customStrategies ??= []).push({
    type: "works-with-nest",
    strategyType: "dashboard",
    name: "Works with Nest",
  });
}
