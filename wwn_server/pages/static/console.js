// Keeps an open console in step with the home. Without it the page is plain forms, and a reload shows the newest state.

// The server says every 30 s that nothing changed; without a word for this long, what is shown may be old.
const SILENCE = 75_000;
const live = document.getElementById("live");
const trouble = document.getElementById("trouble");
const said = document.getElementById("said");
let source;
let watchdog;

function warn(text) {
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = !text;
}

function lost() {
  live.classList.add("stale");
  warn(live.dataset.lost);
}

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => { lost(); listen(); }, SILENCE);
  if (live.classList.contains("stale")) warn("");
  live.classList.remove("stale");
}

function listen() {
  source?.close();
  source = new EventSource(live.dataset.events);
  source.addEventListener("home", ({ data }) => { heard(); show(JSON.parse(data)); });
  source.addEventListener("keep-alive", heard);
  source.addEventListener("signed-out", () => location.reload());
  source.addEventListener("error", () => {
    lost();
    // A refusal ends it for good, a lost connection is tried again by the browser.
    if (source.readyState === EventSource.CLOSED) { clearTimeout(watchdog); watchdog = setTimeout(listen, 5_000); }
  });
  clearTimeout(watchdog);
  watchdog = setTimeout(() => { lost(); listen(); }, SILENCE);
}

function show({ homes, devices }) {
  update(document.getElementById("homes"), homes);
  update(document.getElementById("devices"), devices);
}

// Parts keep their elements, and with them focus and half-made clicks.
function update(container, parts) {
  const wanted = new Set(parts.map(({ id }) => id));
  for (const part of [...container.children]) if (!wanted.has(part.id)) takeAway(part);
  parts.forEach(({ id, html }, position) => {
    const fresh = parsed(html);
    const present = document.getElementById(id);
    const before = present?.dataset.say;
    if (present) morph(present, fresh);
    else container.insertBefore(fresh, container.children[position] ?? null);
    announce(before, fresh.dataset.say);
  });
}

function takeAway(part) {
  const focused = part.contains(document.activeElement);
  part.remove();
  if (focused) document.getElementById("top").focus();
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function announce(before, now) {
  if (!now || now === before) return;
  const line = document.createElement("p");
  line.textContent = now;
  said.append(line);
  while (said.children.length > 10) said.firstElementChild.remove();
}

function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName) { old.replaceWith(fresh.cloneNode(true)); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  morphAttributes(old, fresh);
  while (old.childNodes.length > fresh.childNodes.length) old.lastChild.remove();
  fresh.childNodes.forEach((child, position) => {
    const present = old.childNodes[position];
    if (present) morph(present, child);
    else old.append(child.cloneNode(true));
  });
}

function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    // Whether something is unfolded is the reader's own.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

async function send(form, button) {
  const action = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(action, { method: "POST", body, redirect: "manual", headers: { Accept: "text/html" } });
  if (answer.type === "opaqueredirect") return "";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[role=alert]")?.textContent.trim() || live.dataset.unsent;
}

document.querySelector("main").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const refused = await send(event.target, event.submitter);
    if (!live.classList.contains("stale")) warn(refused);
  } catch {
    warn(live.dataset.unsent);
  }
});

listen();
