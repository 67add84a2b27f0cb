// Joins the inputs of each explorer on the page to its pictures. Nothing outside its own element is touched.

const linked = "#explorer&"; // what comes before a setting in the page's address
const outputRole = {
  tabindex: 0, role: "application", "data-output": "",
  "aria-label": "output cells: arrow keys move, Page Up and Page Down change the channel",
};

function start(root) {
  const find = (name) => root.querySelector(`[data-${name}]`);
  const inputs = Object.fromEntries([...root.querySelectorAll("[name]")].map((input) => [input.name, input]));
  const numbers = Object.values(inputs).filter((input) => input.type === "number");
  const hatch = freeId("dslib-hatch");
  let wantedGroups = Number(inputs.groups.dataset.value); // kept while the channels do not allow it
  let legal = [1];
  let cell = { channel: 0, row: 1, column: 1 };
  let now = null; // what is drawn: the setting, its stages, and how much of each map is shown

  // The setting that the inputs hold.
  function read() {
    const setting = { kind: inputs.kind.value, groups: 1, bytes_per_element: Number(inputs.bytes_per_element.value) };
    for (const input of numbers) setting[input.name] = Number(input.value);
    if (setting.kind === "standard") setting.groups = legal[Number(inputs.groups.value)];
    return setting;
  }

  // The slider has a place for each legal number of groups, and for no other.
  function offerGroups() {
    legal = divisors(Number(inputs.in_channels.value), Number(inputs.out_channels.value));
    inputs.groups.max = legal.length - 1;
    inputs.groups.value = legal.filter((groups) => groups <= wantedGroups).length - 1;
    inputs.groups.disabled = legal.length === 1;
    sayGroups();
  }

  function sayGroups() {
    const groups = legal[Number(inputs.groups.value)];
    find("groups").textContent = whole(groups);
    inputs.groups.setAttribute("aria-valuetext", `${groups} group${groups === 1 ? "" : "s"}`);
    find("legal").textContent = legal.length > 1 ? `legal: ${legal.join(", ")}` : "only 1 divides both channel counts";
  }

  // What is wrong with the numbers that are typed in, as a sentence; empty where all fit.
  function problem() {
    const wrong = numbers.filter((input) => !input.closest("[hidden]") && !input.checkValidity());
    for (const input of numbers) input.removeAttribute("aria-invalid");
    for (const input of wrong) input.setAttribute("aria-invalid", "true");
    return wrong.length ? `${wrong[0].labels[0].textContent.trim()}: ${allowed(wrong[0])}.` : "";
  }

  // Draws the setting, or says why it makes no layer; before that, what else there is to say.
  function update(note = "") {
    for (const part of root.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== inputs.kind.value;
    let message = problem();
    if (!message) {
      offerGroups();
      const v = withOutput(read());
      if (v) show(v);
      else {
        message = tooLarge(read());
        inputs.kernel_size.setAttribute("aria-invalid", "true");
      }
    }
    if (message) message += ` Shown instead: ${caption(now.v)}.`;
    find("problem").textContent = `${note} ${message}`.trim();
  }

  // Everything that depends on the setting alone, then what depends on the chosen cell too.
  function show(v) {
    const parts = stages(v);
    now = { v, parts, shown: shownSizes(parts), groups: legal[Number(inputs.groups.value)] };
    for (const [row, words] of Object.entries(results(v, parts))) {
      words.forEach((word, column) => (find(`${["own", "dense"][column]}="${row}"`).textContent = word));
    }
    root.querySelector("caption").textContent = caption(v);
    find("headline").textContent = headline(v);
    find("code").textContent = torchCode(v, parts);
    find("copied").textContent = "";
    const dense = counted("dense", v);
    const share = (count) => parts.map((part) => ({ name: part.name, value: counted(part.price, v)[count] }));
    const quantities = { MACs: "macs", "Memory traffic, bytes": "bytes" };
    const bars = Object.entries(quantities).map(([label, count]) => bar(label, share(count), dense[count]));
    find("bars").replaceChildren(...bars);
    drawMaps();
    choose(cell);
  }

  // Input, kernels, output: one row of sheets for each map, one row of kernels for each stage.
  function drawMaps() {
    const { parts, shown } = now;
    const focused = find("maps").contains(document.activeElement);
    const maps = mapsOf(parts);
    const most = Math.max(...maps.map(({ channels }) => channels));
    const rows = maps.flatMap((place, level) => {
      const count = Math.min(place.channels, mostChannels);
      const padding = level < parts.length ? parts[level].padding : 0;
      const sheets = Array.from({ length: count }, (_, channel) =>
        sheet(place, channel, shown[level], padding, most <= 4 ? 130 : 64));
      const more = level === parts.length ? outputRole : {};
      const map = element("div", { class: "sheets", "data-map": level, ...more }, ...sheets);
      const row = [element("p", { class: "map-title" }, mapTitle(place, shown[level])), map];
      if (level < parts.length) row.push(element("div", { class: "sheets kernels", "data-kernels": level }));
      return row;
    });
    find("maps").replaceChildren(...rows);
    if (focused) find("output").focus();
  }

  // Light up what this output cell reads, in every picture.
  function choose(wanted) {
    const { parts, shown } = now;
    const clamp = (value, size) => Math.max(0, Math.min(value, size - 1));
    const { rows, columns } = shown.at(-1);
    cell = {
      channel: clamp(wanted.channel, Math.min(parts.at(-1).to.channels, mostChannels)),
      row: clamp(wanted.row, rows), column: clamp(wanted.column, columns),
    };
    const field = receptiveField(parts, cell);
    field.forEach((cells, level) => {
      for (const picture of root.querySelectorAll(`[data-map="${level}"] svg`)) {
        const lit = cells.channels.includes(Number(picture.dataset.channel));
        lightSheet(picture, lit ? cells.rows : [], lit ? cells.columns : []);
      }
    });
    find("reads").textContent = readsSentence(parts, cell, field);
    parts.forEach((part, level) => drawKernels(part, level, field[level + 1].channels));
    const note = element("p", { class: "note" }, leftOutOfWiring(mapsOf(parts)));
    find("wiring").replaceChildren(wiring(parts, field), note);
    find("matrix").replaceChildren(...parts.map((part, level) => matrix(part, field[level + 1].channels, hatch)));
  }

  function drawKernels(part, level, readers) {
    const used = new Set(readers.flatMap((channel) => channelsRead(part, channel)));
    const present = readers[0] < part.copies ? "copy" : "present";
    const count = Math.min(part.from.channels, mostChannels);
    const tiles = Array.from({ length: count }, (_, channel) =>
      kernelTile(part, channel, used.has(channel) ? present : "none", hatch));
    const words = present === "copy" ? "no kernel, a copy (=)" : `${kernels(used.size, part)}, used here`;
    root.querySelector(`[data-kernels="${level}"]`).replaceChildren(
      element("p", { class: "map-title" }, `${part.name}: ${words}`), ...tiles);
  }

  // The pointer is over an output cell, or has touched one.
  function pointed(event) {
    const picture = event.target.closest("[data-output] svg");
    if (!picture) return;
    const box = picture.getBoundingClientRect();
    const view = picture.viewBox.baseVal;
    const along = (at, start, length, from, size) => Math.floor(from + ((at - start) / length) * size);
    const row = along(event.clientY, box.top, box.height, view.y, view.height);
    const column = along(event.clientX, box.left, box.width, view.x, view.width);
    const channel = Number(picture.dataset.channel);
    if (channel !== cell.channel || row !== cell.row || column !== cell.column) choose({ channel, row, column });
  }

  function pressed(event) {
    const steps = {
      ArrowUp: { row: -1 }, ArrowDown: { row: 1 }, ArrowLeft: { column: -1 }, ArrowRight: { column: 1 },
      PageUp: { channel: -1 }, PageDown: { channel: 1 },
    };
    const step = steps[event.key];
    if (!step || !event.target.closest("[data-output]")) return;
    event.preventDefault();
    event.stopPropagation(); // a theme may turn the page on an arrow key
    const moved = { ...cell };
    for (const [name, by] of Object.entries(step)) moved[name] += by;
    choose(moved);
  }

  // The setting that is drawn, as the page's address; only once the reader has changed something.
  function writeAddress() {
    const { v, groups } = now;
    const values = { kind: v.kind, groups, bytes_per_element: v.bytes_per_element };
    for (const input of numbers) values[input.name] = v[input.name];
    history.replaceState(history.state, "", `${linked}${new URLSearchParams(values)}`);
  }

  // A linked setting: values that fit their inputs, the rest stays. Says what was not taken.
  function readAddress() {
    if (!location.hash.startsWith(linked)) return "";
    root.scrollIntoView();
    const values = new URLSearchParams(location.hash.slice(linked.length));
    const refused = [];
    for (const [name, value] of values) {
      const input = Object.hasOwn(inputs, name) && inputs[name];
      if (input !== inputs.groups && !(input && fill(input, value))) refused.push([name, value, input]);
    }
    if (!problem()) offerGroups(); // after the channels
    const groups = values.getAll("groups").at(-1) ?? String(wantedGroups);
    if (legal.map(String).includes(groups)) wantedGroups = Number(groups);
    else if (values.has("groups")) refused.push(["groups", groups, inputs.groups]);
    return notTaken(refused);
  }

  // Whether the value fits its input, which then has it.
  function fill(input, value) {
    if (input.type === "number" && !/^\d{1,9}$/.test(value)) return false; // the browser would complain in the console
    const before = input.value;
    input.value = value;
    const fits = input.value && input.checkValidity();
    if (!fits) input.value = before;
    return fits;
  }

  root.addEventListener("input", (event) => {
    if (event.target === inputs.groups) wantedGroups = legal[Number(inputs.groups.value)];
    update();
  });
  root.addEventListener("pointermove", pointed);
  root.addEventListener("pointerdown", pointed);
  root.addEventListener("keydown", pressed);
  // spoken only while the output has the focus, so that a slider does not say two things at once
  root.addEventListener("focusin", (event) => {
    find("reads").setAttribute("aria-live", event.target.closest("[data-output]") ? "polite" : "off");
  });
  find("copy").addEventListener("click", async () => {
    find("copied").textContent = (await copy(find("code"))) ? "copied" : "selected: press Ctrl+C";
  });

  root.append(hatchPattern(hatch));
  root.querySelector(".live").hidden = false;
  update(); // before the address, whose values may make no layer
  if (root.hasAttribute("data-linkable")) {
    addEventListener("hashchange", () => update(readAddress()));
    update(readAddress());
    root.addEventListener("change", writeAddress); // not at every step of a drag: browsers limit how often
  }
}

// Pages from a disk or an insecure host have no clipboard: the text is selected then, and copied the older way.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

function freeId(name) {
  let count = 0;
  while (document.getElementById(`${name}-${count}`)) count += 1;
  return `${name}-${count}`;
}

for (const root of document.querySelectorAll(".dslib-explorer:not([data-ready])")) {
  root.setAttribute("data-ready", "");
  start(root);
  root.querySelector(".dslib-off").hidden = true;
}
