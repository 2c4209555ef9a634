// What the pages do beyond plain HTML: copying ids, keeping the parts marked data-live fresh, and showing what a form
// marked data-preview comes to while it is filled in.
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

// A choice may bring a value for another field along, until somebody writes one there.
for (const select of document.querySelectorAll("select[data-brings]")) {
  const field = document.getElementById(select.dataset.brings);
  let isOurs = true;
  field.addEventListener("input", () => (isOurs = false));
  select.addEventListener("change", () => {
    if (isOurs) field.value = select.selectedOptions[0].dataset.brings;
  });
}

if (liveSwitch && isLive) {
  liveSwitch.hidden = false;
  liveSwitch.addEventListener("click", () => {
    isLive = !isLive;
    liveSwitch.setAttribute("aria-pressed", String(isLive));
    liveSwitch.textContent = `Live updates: ${isLive ? "on" : "off"}`;
  });
}

// Every look is a new frame: going on in the same one would fill the back button with every pause in typing. The old
// frame stays until the new one has arrived.
function previewing(form) {
  const button = [...form.elements].find((each) => "show" in each.dataset);
  const frames = document.querySelector(".frames");
  let looks = 0;
  let waiting;
  let isUnsaved = "typed" in form.dataset;

  function show() {
    const frame = frames.firstElementChild.cloneNode(false);
    frame.removeAttribute("src");
    frame.name = `${form.dataset.preview}-${(looks += 1)}`;
    frame.classList.add("coming");
    frames.append(frame);
    button.formTarget = frame.name;
    form.requestSubmit(button);
    frame.addEventListener("load", () => {
      while (frames.firstElementChild !== frame) frames.firstElementChild.remove();
      frame.classList.remove("coming");
    });
  }

  for (const field of form.elements) {
    const isTyped = field.matches("textarea, input:not([type=radio])");
    field.addEventListener("input", () => {
      isUnsaved ||= isTyped;
      clearTimeout(waiting);
      waiting = setTimeout(show, isTyped ? 500 : 0);
    });
  }
  form.addEventListener("submit", (event) => {
    if (event.submitter !== button) isUnsaved = false;
  });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });
  if (isUnsaved) show();
}

offerCopying(document);
document.querySelectorAll("form[data-preview]").forEach(previewing);
for (const part of liveParts) shown.set(part.id, contentOf(part));
setTimeout(keepFresh, EVERY);
