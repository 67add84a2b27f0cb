// Formulas are typeset when one comes near the screen, at the first touch of the page, or some seconds after it has
// loaded: MathJax is the heaviest thing here, and words need not wait for it. A few at a time, so that nothing freezes.
(() => {
  const AT_ONCE = 8, LATEST = 6000; // formulas; milliseconds
  const formulas = [...document.querySelectorAll("article .math")];
  const script = Object.assign(document.createElement("script"), {src: "MATHJAX"});
  const near = new IntersectionObserver(seen => seen.some(one => one.isIntersecting) && start(), {rootMargin: "0px 0px 50%"});

  script.onload = async () => {
    await MathJax.startup.promise;
    for (let first = 0; first < formulas.length; first += AT_ONCE) {
      await MathJax.typesetPromise(formulas.slice(first, first + AT_ONCE));
      await new Promise(done => setTimeout(done));
    }
    document.documentElement.dataset.math = "shown";
  };

  function start() {
    near.disconnect();
    document.head.append(script); // a second time does nothing
  }

  formulas.forEach(formula => near.observe(formula));
  ["scroll", "pointerdown", "keydown"].forEach(touch => addEventListener(touch, start, {once: true, passive: true}));
  // Paper cannot wait: what is left is typeset at once. Where MathJax itself is still on its way, the print says so.
  addEventListener("beforeprint", () => {
    start();
    try {
      MathJax.typeset(formulas);
    } catch {
      document.documentElement.dataset.math = "late";
    }
  });
  addEventListener("load", () => setTimeout(start, LATEST));
})();
