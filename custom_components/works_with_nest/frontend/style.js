/* Home Assistant's own colours; what matters is told by words, signs and lines too. */
export const STYLE = `
:host { display: block; height: 100%; }
ha-card {
  --emergency: var(--error-color, #db4437); --warning: var(--warning-color, #ffa600);
  --clear: var(--success-color, #43a047); --test: var(--info-color, #039be5); --quiet: var(--secondary-text-color, #727272);
  --ground: var(--ha-card-background, var(--card-background-color, #fff));
  display: block; height: 100%; overflow: hidden; container-type: inline-size; color: var(--primary-text-color);
}
.whole, .alarm { --tone: var(--quiet); }
.emergency { --tone: var(--emergency); }
.warning, .battery { --tone: var(--warning); }
.clear { --tone: var(--clear); }
.test { --tone: var(--test); }
.whole {
  position: relative; display: flex; align-items: center; gap: 16px; padding: 16px; min-height: 56px;
  background: color-mix(in srgb, var(--tone) 14%, var(--ground)); border-block-end: 3px solid var(--tone);
}
.whole.silent, .whole.partial {
  border-block-end-style: dashed;
  background: repeating-linear-gradient(135deg, transparent 0 12px, color-mix(in srgb, var(--tone) 14%, transparent) 12px 24px);
}
.whole.waiting, .whole.none, .whole.refused { background: none; border-block-end: 1px solid var(--divider-color); }
.whole.emergency { --dark: color-mix(in srgb, var(--emergency) 72%, #000); --tone: #fff; --sign: #7d0f0f; background: var(--dark); color: #fff; }
.whole.emergency.unheard {
  border-block-end-style: dashed;
  background: repeating-linear-gradient(135deg, var(--dark) 0 12px, color-mix(in srgb, var(--dark) 84%, #000) 12px 24px);
}
.whole .ring { inline-size: 56px; block-size: 56px; }
.words { flex: 1; min-inline-size: 0; overflow-wrap: anywhere; }
.title { margin: 0; font-size: 1.4rem; line-height: 1.25; font-weight: 500; text-wrap: balance; }
.emergency .title { font-size: 1.7rem; font-weight: 700; }
.detail { margin: 2px 0 0; font-size: 1rem; line-height: 1.4; }
.stopped {
  position: absolute; inset: 0; display: grid; place-items: center; padding: 8px; text-align: center; font-weight: 600;
  opacity: 0; visibility: hidden; background: var(--ground); color: var(--primary-text-color); border: 3px dashed var(--quiet);
}
.alarms {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 4px;
  margin: 0; padding: 8px; list-style: none;
}
.compact .alarms { grid-template-columns: repeat(auto-fill, minmax(min(100%, 150px), 1fr)); }
.alarms:empty { display: none; }
.alarm {
  display: flex; align-items: center; gap: 12px; inline-size: 100%; min-block-size: 48px; padding: 8px;
  border: 2px solid transparent; border-radius: 10px; background: none; color: inherit; font: inherit; text-align: start; cursor: pointer;
}
.alarms li { display: flex; contain: layout style; }
.alarm:hover { background: color-mix(in srgb, var(--primary-text-color) 6%, transparent); }
.alarm:focus-visible { outline: 3px solid var(--primary-color); outline-offset: -1px; }
.alarm:disabled { cursor: default; }
.alarm.emergency, .alarm.warning { border-color: var(--tone); background: color-mix(in srgb, var(--tone) 12%, var(--ground)); }
.alarm.silent { border: 2px dashed var(--quiet); }
.alarm.emergency.unheard, .alarm.warning.unheard { border-style: dashed; }
.name { display: block; font-weight: 500; }
.alarm:not(.clear) .state { font-weight: 600; }
.checked, .facts { font-size: 0.875rem; opacity: 0.9; }
.checked { white-space: nowrap; }
.checked:not(:empty)::before { content: "· "; }
.facts { display: block; }
.compact :is(.checked, .facts) { display: none; }
.ring { flex: none; inline-size: 40px; block-size: 40px; }
.ring circle { fill: none; stroke: var(--ring, var(--tone)); stroke-width: 3.5; }
.ring path { fill: none; stroke: currentcolor; stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
.unheard .ring circle, .silent .ring circle, .partial .ring circle { stroke-dasharray: 3.2 3.4; }
.emergency .ring circle { fill: var(--tone); stroke-width: 5; }
.emergency .ring path { stroke: var(--sign, #fff); stroke-width: 3; }
.emergency.unheard .ring circle { fill: none; stroke-width: 4.5; }
.emergency.unheard .ring path { stroke: currentcolor; }
.ring-green { --ring: var(--clear); } .ring-yellow { --ring: var(--warning); }
.ring-red { --ring: var(--emergency); } .ring-gray { --ring: var(--quiet); }
.unseen { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) {
  .whole.emergency:not(.unheard) { animation: beat 1.2s ease-in-out infinite alternate; }
  .test .ring circle { stroke-dasharray: 12 4; transform-origin: center; animation: turn 6s linear infinite; }
}
@keyframes beat { to { background: color-mix(in srgb, var(--error-color, #db4437) 50%, #000); } }
@keyframes turn { to { transform: rotate(1turn); } }
@container (inline-size < 320px) { .whole { gap: 12px; padding: 12px; } .whole .ring { inline-size: 40px; block-size: 40px; } .title { font-size: 1.2rem; } }
@container (inline-size > 900px) { .title { font-size: 1.8rem; } .detail { font-size: 1.15rem; } }
@media (forced-colors: active) { .ring circle { stroke: CanvasText; } .alarm { border-color: CanvasText; } }
`;
