// What a setting is: its convolutions in order, their counts, and what one output cell reads. Nothing here draws.

const mostChannels = 16; // drawn of one map
const mostCells = 12; // drawn along one side of a map

function divisors(first, second) {
  const common = (a, b) => (b ? common(b, a % b) : a);
  const most = common(first, second);
  return Array.from({ length: most }, (_, i) => i + 1).filter((value) => most % value === 0);
}

// A map between two convolutions: its name, its channels, its size in pixels.
const map = (role, channels, height, width) => ({ role, channels, height, width });

// One convolution from one map to the next. The first `copies` channels of `to` are copied, without a kernel.
const stage = (price, name, from, to, window) => ({
  price, name, from, to, groups: 1, kernel: 1, stride: 1, padding: 0, dilation: 1, copies: 0, made: to.channels,
  ...window,
});

// The setting with its output size; null where the kernel is larger than the padded input.
function withOutput(setting) {
  const side = (size) => formulas.output_size({ ...setting, size });
  const all = { ...setting, out_height: side(setting.height), out_width: side(setting.width) };
  return all.out_height > 0 && all.out_width > 0 ? all : null;
}

// The convolutions of the layer, first to last.
function stages(v) {
  const input = map("input", v.in_channels, v.height, v.width);
  const output = map("output", v.out_channels, v.out_height, v.out_width);
  const window = { kernel: v.kernel_size, stride: v.stride, padding: v.padding, dilation: v.dilation };
  if (v.kind === "separable") {
    const middle = map("intermediate", v.in_channels, v.out_height, v.out_width);
    return [
      stage("depthwise", "depthwise half", input, middle, { ...window, groups: v.in_channels }),
      stage("pointwise", "pointwise half", middle, output, {}),
    ];
  }
  if (v.kind === "ghost") {
    const copies = formulas.intrinsic(v);
    const middle = map("intermediate", copies, v.out_height, v.out_width);
    const cheap = { kernel: v.dw_kernel_size, padding: (v.dw_kernel_size - 1) / 2, groups: copies, copies };
    return [
      stage("primary", "primary half", input, middle, window),
      stage("cheap", "cheap half", middle, output, { ...cheap, made: copies * (v.ratio - 1) }),
    ];
  }
  return [stage("standard", kindName(v), input, output, { ...window, groups: v.groups })];
}

// The maps from the input to the output.
const mapsOf = (parts) => [parts[0].from, ...parts.map((part) => part.to)];

// The channels that one output channel of a stage reads.
function channelsRead(part, channel) {
  if (channel < part.copies) return [channel];
  const each = part.from.channels / part.groups;
  const group = Math.floor((channel - part.copies) / (part.made / part.groups));
  return Array.from({ length: each }, (_, i) => group * each + i);
}

const sorted = (values) => [...new Set(values)].sort((a, b) => a - b);
const inside = (values, size) => values.filter((value) => value >= 0 && value < size);

// The rows (or columns) under the kernel for these rows of the output; those outside the map are padding.
function taps(part, rows) {
  const offsets = Array.from({ length: part.kernel }, (_, i) => i * part.dilation - part.padding);
  return sorted(rows.flatMap((row) => offsets.map((offset) => row * part.stride + offset)));
}

// What {channels, rows, columns} of a stage's output reads: the same three lists for the map before it.
function reads(part, cells) {
  const channels = sorted(cells.channels.flatMap((channel) => channelsRead(part, channel)));
  if (cells.channels.every((channel) => channel < part.copies)) return { ...cells, channels };
  return { channels, rows: taps(part, cells.rows), columns: taps(part, cells.columns) };
}

// From the chosen output cell back to the input: what is read of each map, the input's first.
function receptiveField(parts, cell) {
  const found = [{ channels: [cell.channel], rows: [cell.row], columns: [cell.column] }];
  for (const part of [...parts].reverse()) {
    const { channels, rows, columns } = found[0];
    const real = { channels, rows: inside(rows, part.to.height), columns: inside(columns, part.to.width) };
    found.unshift(reads(part, real));
  }
  return found;
}

// How many rows and columns of each map are drawn: of an output only what reads rows that are drawn themselves.
function shownSizes(parts) {
  const fitting = (part, shown, before, after) => {
    const last = shown - 1 + (shown === before ? part.padding : 0);
    const whole = Math.floor((last + part.padding - part.dilation * (part.kernel - 1)) / part.stride) + 1;
    return Math.max(1, Math.min(whole, after, mostCells));
  };
  const { height, width } = parts[0].from;
  const shown = [{ rows: Math.min(height, mostCells), columns: Math.min(width, mostCells) }];
  for (const part of parts) {
    const { rows, columns } = shown.at(-1);
    shown.push({
      rows: fitting(part, rows, part.from.height, part.to.height),
      columns: fitting(part, columns, part.from.width, part.to.width),
    });
  }
  return shown;
}

// Every count of one of the costs, as numbers.
const counted = (price, v) =>
  Object.fromEntries(Object.entries(formulas[price]).map(([name, formula]) => [name, formula(v)]));
