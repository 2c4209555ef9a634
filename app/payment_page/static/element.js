// Puts Stripe's form into the page and sends the customer back to us once Stripe has saved the card.
(() => {
  const form = document.getElementById("card-form");
  const problem = document.getElementById("problem");
  if (!form || !window.Stripe) return; // Stripe cannot be reached: the way to Stripe's own page stays below
  const stripe = window.Stripe(form.dataset.key, { locale: form.dataset.locale });
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const elements = stripe.elements({
    clientSecret: form.dataset.secret,
    appearance: { theme: dark ? "night" : "stripe", variables: { borderRadius: "10px", fontSizeBase: "17px" } },
  });
  elements.create("payment", { layout: "tabs" }).mount("#element");
  form.hidden = false;
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    problem.hidden = true;
    const { error } = await stripe.confirmSetup({ elements, confirmParams: { return_url: form.dataset.back } });
    problem.textContent = (error && error.type !== "api_error" && error.message) || problem.dataset.words;
    problem.hidden = false;
    button.disabled = false;
  });
})();
