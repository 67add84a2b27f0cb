// SVG pictures of maps, kernels and connections. Colours come from classes, so that the theme decides them.

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const element = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
const rect = (x, y, width, height, more = {}) => svg("rect", { x, y, width, height, ...more });

// The lines of a grid of rows x columns cells of these sides, with its corner at (x, y).
function gridPath(x, y, rows, columns, width = 1, height = width) {
  const across = Array.from({ length: rows + 1 }, (_, i) => `M${x} ${y + i * height}h${columns * width}`);
  const down = Array.from({ length: columns + 1 }, (_, i) => `M${x + i * width} ${y}v${rows * height}`);
  return svg("path", { class: "grid", d: across.join("") + down.join("") });
}

// One channel of a map, in units of cells, with its frame of padding (a narrow part of a wide one) where it is read.
function sheet(place, channel, shown, padding, target) {
  const frame = Math.min(padding, 3);
  const below = shown.rows === place.height ? frame : 0;
  const beside = shown.columns === place.width ? frame : 0;
  const [width, height] = [shown.columns + frame + beside, shown.rows + frame + below];
  const cell = Math.max(4, Math.min(18, Math.floor(target / Math.max(width, height))));
  const picture = svg("svg", {
    viewBox: `${-frame - 0.2} ${-frame - 0.2} ${width + 0.4} ${height + 0.4}`, width: (width + 0.4) * cell,
    height: (height + 0.4) * cell, class: `sheet ${place.role}`, "data-channel": channel, "aria-hidden": "true",
  });
  if (frame) picture.append(rect(-frame, -frame, width, height, { class: "padding" }));
  picture.append(rect(0, 0, shown.columns, shown.rows, { class: "ground" }));
  picture.append(gridPath(0, 0, shown.rows, shown.columns), svg("g", { class: "lit" }));
  return element("div", { class: "tile" }, picture, element("span", {}, String(channel)));
}

// Which cells of a sheet are lit; those that are not drawn are left out.
function lightSheet(picture, rows, columns) {
  const { x, y, width, height } = picture.viewBox.baseVal;
  const drawn = (value, least, size) => value >= Math.ceil(least) && value + 1 <= least + size;
  const cells = rows.filter((row) => drawn(row, y, height)).flatMap((row) =>
    columns.filter((column) => drawn(column, x, width)).map((column) =>
      rect(column, row, 1, 1, { "data-row": row, "data-column": column })));
  picture.querySelector("g.lit").replaceChildren(...cells);
}

// The kernel with which the chosen output reads one channel; hatched where there is none, "=" for a copy.
function kernelTile(part, channel, kind, hatch) {
  const side = part.kernel;
  const cell = Math.max(4, Math.min(12, Math.floor(36 / side)));
  const picture = svg("svg", {
    width: side * cell + 2, height: side * cell + 2, viewBox: `-1 -1 ${side * cell + 2} ${side * cell + 2}`,
    class: `kernel ${kind}`, "data-channel": channel, "aria-hidden": "true",
  });
  picture.append(rect(0, 0, side * cell, side * cell, { class: "ground" }));
  if (kind === "none") picture.append(rect(0, 0, side * cell, side * cell, { fill: `url(#${hatch})` }));
  if (kind === "present") picture.append(gridPath(0, 0, side, side, cell));
  if (kind === "copy") {
    const middle = (side * cell) / 2;
    const size = { x: middle, y: middle + 5, "font-size": 14, "text-anchor": "middle" };
    picture.append(svg("text", size, "="));
  }
  return element("div", { class: "tile" }, picture, element("span", {}, String(channel)));
}

// Slanted lines, for what is empty; patterns are found by id, which must be the page's only one.
function hatchPattern(id) {
  const line = svg("path", { d: "M0 6L6 0", class: "hatch" });
  const pattern = svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, line);
  return svg("svg", { width: 0, height: 0, "aria-hidden": "true", class: "patterns" }, svg("defs", {}, pattern));
}

// Rows of channels and a line for each kernel: who reads whom. What belongs to the chosen output cell is heavier.
function wiring(parts, field) {
  const maps = mapsOf(parts);
  const drawn = maps.map(({ channels }) => Math.min(channels, mostChannels));
  const side = Math.min(24, 250 / Math.max(...drawn));
  const place = (level, channel) => [96 + ((channel + 0.5) * 300) / drawn[level], 20 + level * 90];
  const lines = { plain: [], copy: [], chosen: [] };
  parts.forEach((part, level) => {
    for (let channel = 0; channel < drawn[level + 1]; channel += 1) {
      for (const other of channelsRead(part, channel).filter((value) => value < drawn[level])) {
        const [[from, above], [to, below]] = [place(level, other), place(level + 1, channel)];
        const ends = `M${from} ${above + side / 2}L${to} ${below - side / 2}`;
        lines[channel < part.copies ? "copy" : "plain"].push(ends);
        if (field[level + 1].channels.includes(channel)) lines.chosen.push(ends);
      }
    }
  });
  const paths = Object.entries(lines).map(([name, ends]) => svg("path", { class: `line ${name}`, d: ends.join("") }));
  const nodes = maps.flatMap(({ role }, level) => [
    svg("text", { x: 0, y: place(level, 0)[1] + 4, "font-size": 13 }, role),
    ...Array.from({ length: drawn[level] }, (_, channel) =>
      node(role, channel, place(level, channel), side, field[level].channels.includes(channel))),
  ]);
  const size = { viewBox: `0 0 400 ${maps.length * 90 - 50}`, class: "wide", role: "img" };
  return svg("svg", { ...size, "aria-label": wiringWords(parts) }, ...paths, ...nodes);
}

// One channel of the wiring: a box with its number.
function node(role, channel, [x, y], side, chosen) {
  const words = { x, y: y + 4, "font-size": Math.min(12, side * 0.7), "text-anchor": "middle" };
  const box = rect(x - side / 2, y - side / 2, side, side, { class: `node ${role}${chosen ? " chosen" : ""}` });
  return svg("g", {}, box, svg("text", words, String(channel)));
}

function wiringWords(parts) {
  return parts.map((part) => {
    const each = part.from.channels / part.groups;
    const copies = part.copies ? `the first ${part.copies} ${part.to.role} channels are copies; each other one` : "";
    const subject = copies || `each ${part.to.role} channel`;
    return `${subject} reads ${each} of ${part.from.channels} ${part.from.role} channels`;
  }).join("; ");
}

// All kernels of one stage: a block for each group on hatched ground, never cut off; tiles shrink instead.
function matrix(part, litChannels, hatch) {
  const [rows, columns] = [part.to.channels, part.from.channels];
  const [width, height] = [Math.min(28, 280 / columns), Math.min(28, 280 / rows)];
  const [across, down] = [columns / part.groups, part.made / part.groups];
  const picture = svg("svg", {
    viewBox: `-2 -2 ${columns * width + 4} ${rows * height + 4}`, width: columns * width + 4, height: rows * height + 4,
    class: "matrix", role: "img", "aria-label": matrixWords(part),
  });
  const ground = { class: "empty", fill: `url(#${hatch})` };
  picture.append(rect(0, 0, columns * width, rows * height, ground));
  const tiles = (x, y, wide, tall) => `M${x * width} ${y * height}h${wide * width}v${tall * height}h${-wide * width}z`;
  const [blocks, lines] = [[], []];
  for (let group = 0; group < part.groups; group += 1) {
    const [x, top] = [group * across, part.copies + group * down];
    const tall = Math.min(down, rows - top); // a Ghost module cuts off what is too much
    if (tall <= 0) break;
    blocks.push(tiles(x, top, across, tall));
    const side = Math.min(width, height);
    if (side >= 4) lines.push(gridPath(x * width, top * height, tall, across, width, height));
    if (side >= 4 * part.kernel) lines.push(weightLines(part.kernel, x, top, tall, across, width, height));
  }
  const copies = Array.from({ length: part.copies }, (_, copy) => tiles(copy, copy, 1, 1));
  picture.append(svg("path", { class: "block", d: blocks.join("") }), ...lines);
  picture.append(svg("path", { class: "copied", d: copies.join("") }));
  for (let copy = 0; copy < part.copies; copy += 1) {
    if (Math.min(width, height) < 12) break;
    const middle = { x: (copy + 0.5) * width, y: (copy + 0.5) * height + 5, "font-size": 14, "text-anchor": "middle" };
    picture.append(svg("text", middle, "="));
  }
  const outlines = litChannels.map((channel) => {
    const read = channelsRead(part, channel);
    return tiles(read[0], channel, read.length, 1);
  });
  picture.append(svg("path", { class: "outline", d: outlines.join("") }));
  return element("div", { class: "tile" }, picture, element("span", {}, matrixWords(part)));
}

// The single weights inside the tiles of a block, where there is room for them.
function weightLines(kernel, x, y, rows, columns, width, height) {
  const size = [rows * kernel, columns * kernel, width / kernel, height / kernel];
  const lines = gridPath(x * width, y * height, ...size);
  lines.setAttribute("class", "fine");
  return lines;
}

function matrixWords(part) {
  const present = (part.made * part.from.channels) / part.groups;
  const copies = part.copies ? `, and ${whole(part.copies)} copies (=)` : "";
  const extra = part.copies + part.made - part.to.channels;
  const cut = extra > 0 ? `; ${whole(extra)} made in excess and cut off` : "";
  const empty = part.groups > 1 ? ", none where hatched" : "";
  return `${part.name}: ${kernels(present, part)}${copies}${empty}${cut}`;
}

// One quantity as a bar: the parts of this layer, on a ground as wide as the standard layer if that takes more.
function bar(label, shares, standard) {
  const total = shares.reduce((sum, share) => sum + share.value, 0);
  const full = Math.max(total, standard);
  const percent = (value, of) => `${decimals((100 * value) / of, 1)} %`;
  const words = shares.map(({ name, value }) =>
    shares.length > 1 ? `${name} ${whole(value)} (${percent(value, total)})` : `this layer ${whole(value)}`);
  const text = `${label}: ${words.join(", ")}; standard layer ${whole(standard)}`;
  const pieces = shares.map(({ value }, index) =>
    element("span", { class: `share share-${index}`, style: `width:${(100 * value) / full}%` }));
  const end = element("span", { class: "standard", style: `left:${(100 * standard) / full}%` });
  const picture = element("div", { class: "bar", "aria-hidden": "true" }, ...pieces, end);
  return element("div", {}, element("p", {}, text), picture);
}
