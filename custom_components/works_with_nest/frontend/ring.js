/* The ring of an alarm, with a sign in it: whoever sees no colours reads the sign and the line. */

const SVG = "http://www.w3.org/2000/svg";
const QUESTION = "M9.6 9.8a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.2 1-1.2 1.8M12 16.6v.2";
const SIGNS = {
  emergency: "M12 6.8v6.4M12 17v.2",
  warning: "M12 7.5v5.5M12 16.4v.2",
  silent: QUESTION,
  partial: QUESTION,
  test: "M10 8.5l5.5 3.5-5.5 3.5z",
  battery: "M7.5 9.5h8v5h-8zM17 11.2v1.6",
  clear: "M8 12.4l2.8 2.8L16 9.4",
};

/* What rings are copies of. */
const RING = svg("svg", { viewBox: "0 0 24 24", class: "ring", "aria-hidden": "true" });
RING.append(svg("circle", { cx: "12", cy: "12", r: "9.6" }), svg("path", {}));

/** A ring that can show any tone. */
export class Ring {
  constructor(element = RING.cloneNode(true)) {
    this.element = element;
  }

  show(tone) {
    if (tone === this.tone) return;
    this.tone = tone;
    this.element.lastChild.setAttribute("d", SIGNS[tone] ?? "");
  }
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
