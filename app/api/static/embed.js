// Recoup: shows "a payment needs your attention" in your own app, and nothing when all is well or Recoup is away.
// <script src="https://recoup.example/embed.js" data-token="…" defer></script>      docs: docs/embedding.md
(() => {
  "use strict";
  const me = document.currentScript;
  if (!me || !window.fetch || !Element.prototype.attachShadow) return;
  const home = new URL(me.src).origin;
  const { token, language, target } = me.dataset;
  const KEY = "recoup-dismissed";
  let host = null;

  const CSS = `
:host { all: initial; display: block; }
div { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .9rem; box-sizing: border-box; padding: .7rem 1rem;
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #4a2b00; background: #fdf0d5;
  border-block-end: 1px solid #e4bd76; }
span { flex: 1 1 14rem; }
a, button { font: inherit; font-weight: 600; color: inherit; min-height: 2.75rem; box-sizing: border-box; }
a { display: inline-flex; align-items: center; padding: .4rem 1rem; border-radius: 8px; color: #fff; background: #6b3f00;
  text-decoration: none; }
a:hover { background: #4a2b00; }
button { min-width: 2.75rem; margin-inline-start: auto; padding: 0; border: 0; border-radius: 8px; background: none; cursor: pointer; font-size: 1.3em; }
button:hover { background: rgb(128 90 20 / 15%); }
:focus-visible { outline: 2px solid #1d55b4; outline-offset: 2px; }
@media (prefers-color-scheme: dark) {
  div { color: #fbe3b8; background: #3a2a10; border-color: #6d5426; }
  a { color: #2a1c05; background: #f4c471; } a:hover { background: #fbe3b8; }
  :focus-visible { outline-color: #8ab4ff; }
}
@media print { :host { display: none; } }`;

  const today = () => new Date().toDateString();

  const isDismissed = (id) => {
    try {
      return localStorage.getItem(KEY) === id + " " + today();
    } catch {
      return false;
    }
  };

  function dismiss(id) {
    try {
      localStorage.setItem(KEY, id + " " + today());
    } catch {
      // A browser that keeps nothing shows it again with the next page.
    }
    remove();
  }

  function remove() {
    if (host) host.remove();
    host = null;
  }

  function element(name, content, attributes) {
    const made = document.createElement(name);
    made.textContent = content;
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    return made;
  }

  function show(notice) {
    if (host && host.dataset.id === notice.id) return;
    remove();
    host = element("recoup-notice", "", { lang: notice.language, dir: notice.direction, "data-id": notice.id });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // needs no style-src 'unsafe-inline'
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    const box = element("div", "", { role: "status", dir: notice.direction });
    root.append(box);
    const place = target && document.querySelector(target);
    if (place) place.append(host);
    else document.body.prepend(host);
    const close = element("button", "×", { type: "button", "aria-label": notice.dismiss });
    close.addEventListener("click", () => dismiss(notice.id));
    const link = element("a", notice.action, { href: notice.url, rel: "noreferrer" });
    // A status that is filled after it came is read out.
    setTimeout(() => box.append(element("span", notice.text), link, close), 50);
  }

  async function look() {
    try {
      const query = new URLSearchParams({ token, language: language || "" });
      const answer = await fetch(home + "/embed/notice?" + query, {
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(8000),
      });
      const { notice } = answer.ok ? await answer.json() : {};
      if (notice && notice.url.startsWith(home + "/") && !isDismissed(notice.id)) show(notice);
      else if (answer.ok) remove();
    } catch {
      // Recoup is away: the app goes on as if nothing were.
    }
  }

  if (!token) return;
  look();
  // Back from the payment page, or from another tab, it may be settled.
  addEventListener("pageshow", (event) => event.persisted && look());
  document.addEventListener("visibilitychange", () => host && !document.hidden && look());
})();
