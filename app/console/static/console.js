// What the pages do beyond plain HTML: copying ids, and keeping the parts marked data-live fresh.
// Every page works without this file.
"use strict";

const EVERY = 1000;
const liveParts = document.querySelectorAll("[data-live][id]");
const liveSwitch = document.querySelector("[data-live-switch]");
let isLive = liveParts.length > 0;
const shown = new Map();

// What a part says, without the form tokens, which are new in every answer.
function contentOf(part) {
  return part.innerHTML.replace(/name="csrf_token" value="[^"]*"/g, "");
}

function isBeingUsed(part) {
  const selection = document.getSelection();
  return (
    part.contains(document.activeElement) ||
    part.querySelector("details[open]") !== null ||
    (!selection.isCollapsed && part.contains(selection.anchorNode))
  );
}

async function refresh() {
  if (!isLive || document.hidden) return;
  try {
    const answer = await fetch(location.href, {
      headers: { "X-Recoup-Refresh": "1" },
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of liveParts) {
      const part = fresh.getElementById(old.id);
      if (part && contentOf(part) !== shown.get(old.id) && !isBeingUsed(old)) {
        shown.set(old.id, contentOf(part));
        old.replaceChildren(...part.childNodes);
        offerCopying(old);
      }
    }
  } catch {
    // The server is away for a moment; the next round asks again.
  }
}

// A page that takes long to make is asked for less often, so that an open tab never costs more than a tenth of a core.
async function keepFresh() {
  const began = performance.now();
  await refresh();
  setTimeout(keepFresh, Math.max(EVERY, 9 * (performance.now() - began)));
}

function offerCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const text = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = text), 1500);
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-select]")) event.target.select();
});

if (liveSwitch && isLive) {
  liveSwitch.hidden = false;
  liveSwitch.addEventListener("click", () => {
    isLive = !isLive;
    liveSwitch.setAttribute("aria-pressed", String(isLive));
    liveSwitch.textContent = `Live updates: ${isLive ? "on" : "off"}`;
  });
}

offerCopying(document);
for (const part of liveParts) shown.set(part.id, contentOf(part));
setTimeout(keepFresh, EVERY);
