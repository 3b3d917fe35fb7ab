// The what-if slider: counts calls above the chosen timeout in the recorded slots, as the review itself does.
for (const box of document.querySelectorAll(".what-if")) {
  const { slots, n } = JSON.parse(box.dataset.calls);
  const input = box.querySelector("input"), output = box.querySelector("output");
  const human = us => us < 1e3 ? us + " µs" : us < 1e6 ? (us / 1e3).toPrecision(3) + " ms" : (us / 1e6).toPrecision(3) + " s";
  const show = () => {
    const us = Math.round(Math.exp(+input.value));
    const slot = slots.find(([edge]) => edge > us);
    const above = slot ? slot[1] : 0;
    const share = above / n;
    output.textContent = human(us) + ": " + (above ? (share * 100).toPrecision(3) + " % of the good answers lost (" + above + " of " + n + ")"
      : "none of " + n + " lost; so at most " + (3 / n * 100).toPrecision(2) + " %");
  };
  input.addEventListener("input", show);
  show();
}
