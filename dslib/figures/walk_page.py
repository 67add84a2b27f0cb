"""What every walk brings to its page: style, controls and script. All of it stays inside the walk's own element."""

LOOKS = """
.dslib-walk{box-sizing:border-box;margin:0;padding:.75rem;border-radius:.25rem;
background:#fff;color:#111;color-scheme:light;font:16px/1.4 system-ui,sans-serif}
.dslib-walk .picture{display:block!important}
.dslib-walk svg{display:block;width:100%;height:auto;fill:#111}
.dslib-walk svg text{font-family:inherit;text-anchor:middle}
.dslib-walk svg .head{font-size:15px;font-weight:600;text-anchor:start}
.dslib-walk svg .name,.dslib-walk svg .sum{font-size:14px}
.dslib-walk .cell rect{fill:var(--soft);stroke:var(--thin);stroke-width:1}
.dslib-walk .pad rect{fill:#fff}
.dslib-walk .lit rect{fill:var(--lit);stroke:var(--c);stroke-width:3}
.dslib-walk .lit text{font-weight:700}
.dslib-walk .frame{fill:none;stroke:var(--c);stroke-width:2}
.dslib-walk path{fill:none;stroke:#767676}
.dslib-walk .say{min-height:2.8em;margin:.5rem 0;color:#111;font-size:16px;overflow-wrap:anywhere}
.dslib-walk .bar{display:flex;max-width:36rem;flex-wrap:wrap;gap:.5rem;align-items:center}
.dslib-walk .bar[hidden]{display:none}
.dslib-walk button{min-width:5.5em;min-height:40px;margin:0;padding:0 .6em;border:1px solid #595959;
border-radius:.25rem;background:#f2f2f2;color:#111;font:inherit;cursor:pointer}
.dslib-walk label{display:flex;flex:1 1 13rem;gap:.5rem;align-items:center;margin:0;color:#111;font:inherit}
.dslib-walk input{flex:1;min-width:6rem;height:40px;margin:0;accent-color:#0072b2}
.dslib-walk .count{min-width:5em}
.dslib-walk :focus-visible{outline:3px solid #0072b2;outline-offset:2px}
@media (prefers-reduced-motion:no-preference){.dslib-walk .cell rect{transition:fill .25s,stroke .25s}}
@media (prefers-reduced-motion:reduce){.dslib-walk [data-do=play]{display:none}}
@media print{.dslib-walk .bar{display:none}}
@media (forced-colors:active){.dslib-walk svg{background:#fff}
.dslib-walk svg,.dslib-walk svg text{forced-color-adjust:none}}
"""

# Hidden until the script runs. No button is ever disabled: that would take the focus away from the keyboard.
BAR = """<div class="bar" hidden="hidden">
<button type="button" data-do="back">Back</button>
<button type="button" data-do="play">Play</button>
<button type="button" data-do="on">Forward</button>
<label>Step <input type="range" min="1" max="{count}" value="1"><span class="count">1 of {count}</span></label>
</div>"""

# An equal walk may stand twice on a page, and a notebook may put a walk anywhere: hence classes and names, no ids.
CODE = """function (key, filters, outputs, steps) {
  function start(root) {
    root.setAttribute("data-ready", "");
    const all = (selector) => Array.from(root.querySelectorAll(selector)), one = (selector) => all(selector)[0];
    const input = all("[data-cell=input]"), output = all("[data-cell=output]"), sums = all(".sum");
    const slider = one("input"), play = one("[data-do=play]"), say = one(".say");
    const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
    const still = window.matchMedia("(prefers-reduced-motion: reduce)");
    let now = 0, timer = 0;
    function show(to) {
      now = Math.max(0, Math.min(steps.length - 1, to));
      const step = steps[now], filter = filters[step.filter], lit = new Set(step.lit);
      input.forEach((cell, i) => cell.classList.toggle("lit", lit.has(i)));
      output.forEach((cell, i) => {
        cell.classList.toggle("lit", i === now);
        put(cell.lastChild, i <= now ? outputs[i] : "");
      });
      filter.kernels.forEach((kernel, c) => {
        const tile = one('[data-tile="' + c + '"]'), none = one('[data-none="' + c + '"]');
        (kernel ? none : tile).setAttribute("display", "none");
        (kernel ? tile : none).removeAttribute("display");
        if (kernel) tile.querySelectorAll("text").forEach((text, i) => put(text, kernel[i]));
      });
      step.sums.forEach((sum, c) => put(sums[c], sum));
      put(one(".filter"), filter.head);
      put(one(".added"), step.added);
      put(say, step.say);
      put(one(".count"), now + 1 + " of " + steps.length);
      slider.value = now + 1;
      slider.setAttribute("aria-valuetext", now + 1 + " of " + steps.length);
    }
    function stop() {
      clearInterval(timer);
      timer = 0;
      say.setAttribute("aria-live", "polite");
      put(play, "Play");
    }
    function tick() {
      if (!root.isConnected || still.matches) return stop();
      show(now + 1);
      if (now === steps.length - 1) stop();
    }
    function run() {
      if (timer) return stop();
      if (now === steps.length - 1) show(0);
      say.setAttribute("aria-live", "off");
      put(play, "Pause");
      timer = setInterval(tick, 1500);
    }
    const go = (to) => { stop(); show(to); };
    one("[data-do=back]").addEventListener("click", () => go(now - 1));
    one("[data-do=on]").addEventListener("click", () => go(now + 1));
    play.addEventListener("click", run);
    slider.addEventListener("input", () => go(slider.value - 1));
    show(0);
    one(".bar").hidden = false;
    one(".dslib-off").hidden = true;
  }
  document.querySelectorAll('.dslib-walk[data-walk="' + key + '"]:not([data-ready])').forEach(start);
}"""
