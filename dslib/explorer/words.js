// Numbers and settings as words: the table, the sentences and the torch code.

const whole = (value) => value.toLocaleString("en-US");
// toFixed rounds as dslib.explorer does; toLocaleString would round a second time
const decimals = (value, places) => {
  const [front, back] = value.toFixed(places).split(".");
  return `${whole(Number(front))}.${back}`;
};

function kindName(v) {
  if (v.kind === "separable") return "Depthwise + pointwise";
  if (v.kind === "ghost") return `Ghost module with s = ${v.ratio}, d = ${v.dw_kernel_size}`;
  if (v.groups === 1) return "Standard convolution";
  return `${v.groups === v.in_channels ? "Depthwise" : "Grouped"} convolution, ${whole(v.groups)} groups`;
}

function caption(v) {
  return `${kindName(v)}: ${whole(v.in_channels)} to ${whole(v.out_channels)} channels, `
    + `${whole(v.height)} × ${whole(v.width)} pixels, kernel ${v.kernel_size} × ${v.kernel_size}, `
    + `stride ${v.stride}, padding ${v.padding}, dilation ${v.dilation}, ${v.bytes_per_element} bytes per element`;
}

const weightShape = (part) => [part.made, part.from.channels / part.groups, part.kernel, part.kernel];

// The table's cells: {row: [this layer, standard layer]}, one entry where both share it.
function results(v, parts) {
  const own = counted(v.kind, v);
  const dense = counted("dense", v);
  const both = (count, text) => [text(own[count]), text(dense[count])];
  return {
    output_size: [`${whole(v.out_height)} × ${whole(v.out_width)}`],
    weight_shape: [parts.map((part) => `torch.Size([${weightShape(part).join(", ")}])`).join(" and ")],
    params: both("params", whole),
    macs: both("macs", whole),
    elements_read: both("elements_read", whole),
    elements_written: both("elements_written", whole),
    bytes: both("bytes", whole),
    intensity: both("intensity", (value) => decimals(value, 2)),
    ratio: [decimals(own.macs / dense.macs, 4), decimals(1, 4)],
    separable_share: [decimals(formulas.separable_share(v), 4)],
  };
}

function headline(v) {
  const own = counted(v.kind, v);
  const share = `${decimals(own.macs / counted("dense", v).macs, 4)} of the standard layer’s`;
  return `${kindName(v)}: ${whole(own.macs)} MACs, ${share}; ${whole(own.params)} parameters.`;
}

// The torch code that builds the layer, with torch's defaults left out.
function torchCode(v, parts) {
  const conv = (part) => {
    const extra = ["stride", "padding", "dilation", "groups"]
      .filter((name) => part[name] !== { stride: 1, padding: 0, dilation: 1, groups: 1 }[name])
      .map((name) => `${name}=${part[name]}, `);
    return `nn.Conv2d(${part.from.channels}, ${part.made}, ${part.kernel}, ${extra.join("")}bias=False)`;
  };
  const [first, second] = parts.map(conv);
  if (v.kind === "separable") return `layer = nn.Sequential(\n    ${first},\n    ${second},\n)`;
  if (v.kind === "standard") return `layer = ${first}`;
  const cut = v.out_channels < parts[1].made + parts[1].copies ? `[:, :${v.out_channels}]` : "";
  return `primary = ${first}\ncheap = ${second}\n\ndef layer(x):\n    maps = primary(x)\n`
    + `    return torch.cat([maps, cheap(maps)], dim=1)${cut}`;
}

// "2", "2 and 3", "0 to 7", "0, 2 and 4", or "9 from 0 to 40" where a list would be long.
function listed(values) {
  const words = values.map((value) => String(value).replace("-", "−"));
  const ends = `${words[0]} to ${words.at(-1)}`;
  if (values.length > 2 && values.at(-1) - values[0] === values.length - 1) return ends;
  if (values.length > 6) return `${values.length} from ${ends}`;
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const some = (noun, values) => `${noun}${values.length === 1 ? "" : "s"} ${listed(values)}`;

// "rows −1 to 1, columns 0 to 2 of input channels 0 to 7: 72 values, 24 of them padding"
function described(cells, { role, height, width }) {
  const { channels, rows, columns } = cells;
  const all = channels.length * rows.length * columns.length;
  const real = channels.length * inside(rows, height).length * inside(columns, width).length;
  const padding = all > real ? `, ${whole(all - real)} of them padding` : "";
  return `${some("row", rows)}, ${some("column", columns)} of ${role} ${some("channel", channels)}: `
    + `${whole(all)} value${all === 1 ? "" : "s"}${padding}`;
}

function readsSentence(parts, cell, field) {
  const where = `Output channel ${cell.channel}, row ${cell.row}, column ${cell.column}`;
  const direct = described(field.at(-2), parts.at(-1).from);
  if (parts.length === 1) return `${where} reads ${direct}.`;
  const verb = cell.channel < parts[1].copies ? "is a copy of" : "reads";
  return `${where} ${verb} ${direct}. Through ${field[1].channels.length === 1 ? "it" : "them"} it reads `
    + `${described(field[0], parts[0].from)}.`;
}

const kernels = (count, part) => `${whole(count)} kernel${count === 1 ? "" : "s"} of ${part.kernel} × ${part.kernel}`;

// "Input: 64 channels of 112 × 112. Not drawn: 48 more channels."
function mapTitle({ role, channels, height, width }, shown) {
  const words = [];
  if (channels > mostChannels) words.push(`${whole(channels - mostChannels)} more channels`);
  if (height > shown.rows || width > shown.columns) {
    words.push(`all but the first ${shown.rows} × ${shown.columns} of ${whole(height)} × ${whole(width)} cells`);
  }
  const size = `${whole(channels)} channel${channels === 1 ? "" : "s"} of ${whole(height)} × ${whole(width)}`;
  return `${role}: ${size}.${words.length ? ` Not drawn: ${words.join(", ")}.` : ""}`;
}

function leftOutOfWiring(maps) {
  const many = maps.filter(({ channels }) => channels > mostChannels);
  const words = many.map(({ role, channels }) => `${whole(channels)} ${role}`);
  return many.length ? `Drawn: the first ${mostChannels} of ${words.join(", ")} channels.` : "";
}

function tooLarge(v) {
  const spans = v.dilation * (v.kernel_size - 1) + 1;
  return `Kernel larger than the padded input: kernel size ${v.kernel_size} with dilation ${v.dilation} spans `
    + `${spans} pixels, the input has ${v.height} × ${v.width} and with padding `
    + `${v.height + 2 * v.padding} × ${v.width + 2 * v.padding}.`;
}

// What a number field takes; a browser hands over "1,024" as no number at all.
function allowed({ min, max, step, validity }) {
  const digits = validity.badInput ? ", in digits alone: 1024, not 1,024" : "";
  return `${step === "2" ? "an odd" : "a whole"} number from ${min} to ${max}${digits}`;
}

// The values of a link that were left out, each with the reason; a few of them, and never at length.
function notTaken(refused) {
  if (!refused.length) return "";
  const short = (text) => (String(text).length > 20 ? `${String(text).slice(0, 20)}…` : text);
  const reason = (input) => {
    if (!input) return "no setting of this page";
    if (input.type === "number") return allowed(input);
    return input.type === "range" ? "not a divisor of both channel counts" : "not in its list";
  };
  const said = refused.slice(0, 4).map(([name, value, input]) => `${short(name)}=${short(value)} (${reason(input)})`);
  const more = refused.length > 4 ? `, and ${whole(refused.length - 4)} more` : "";
  return `Not taken from the link: ${said.join(", ")}${more}.`;
}
