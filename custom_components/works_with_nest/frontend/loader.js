/* On every page: fetches the rest on first use. */

const CARD = "works-with-nest-alarms";
const STRATEGY = "works-with-nest";

/** Keeps what it is given until the card is here. */
class AlarmsElement extends HTMLElement {
  static getConfigForm = async () => (await import("./editor.js")).FORM;
  static getStubConfig = () => ({});

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

  getCardSize() {
    return this.card?.size ?? 3;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6 };
  }
}

class Strategy extends HTMLElement {
  static registryDependencies = ["entities", "devices", "areas"];
  static generate = async (_, hass) => (await import("./strategy.js")).generate(hass);
}

/* Home Assistant replaces the registry of elements. */
if (document.querySelector("home-assistant")) await customElements.whenDefined("home-assistant");

/* Another copy may be here. */
if (!customElements.get(CARD)) {
  customElements.define(CARD, AlarmsElement);
  customElements.define(`ll-strategy-dashboard-${STRATEGY}`, Strategy);
  (window.customCards ??= []).push({
    type: CARD,
    name: "Works with Nest alarms",
    description: "All smoke alarms at a glance, the worst first.",
    preview: true,
  });
  (window.customStrategies ??= []).push({
    type: STRATEGY,
    strategyType: "dashboard",
    name: "Works with Nest",
    description: "Every linked home.",
  });
}
