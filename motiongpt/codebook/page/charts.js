// How often codes are used, and where they lie: two drawings whose parts choose a code.

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

class Charts {
  constructor(book, choose) {
    this.book = book;
    this.parts = new Map(); // code -> its bar and its point
    this.put("histogram", this.histogram());
    this.put("map", this.map());
    const percent = book.map.shares.map((share) => `${(100 * share).toFixed(0)} %`);
    document.getElementById("map-words").textContent =
      `Codes in their own space: two principal components (${percent.join(" and ")} of the ` +
      "variance); larger is more used, hollow is dead";
    for (const name of ["histogram", "map"]) {
      document.getElementById(name).onclick = (event) => {
        const code = event.target.dataset.code;
        if (code !== undefined) choose(Number(code));
      };
    }
  }

  put(name, svg) {
    document.getElementById(name).replaceChildren(svg);
  }

  part(code, made) {
    made.dataset.code = code;
    made.append(drawn("title", {}));
    made.lastChild.textContent = `${code}: ${this.book.said(code)}`;
    this.parts.set(code, [...(this.parts.get(code) || []), made]);
    return made;
  }

  histogram() {
    const { counts } = this.book;
    const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a]);
    const [width, height] = [600, 220];
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
    const most = Math.max(...counts, 1);
    order.forEach((code, i) => {
      const tall = (height * counts[code]) / most;
      const bar = { x: (width * i) / counts.length, width: Math.max(width / counts.length, 0.6) };
      svg.append(drawn("rect", { ...bar, y: height - tall, height: tall, class: "bar" }));
      const reach = { ...bar, y: 0, height, class: "reach" }; // a low bar is as easily met
      svg.append(this.part(code, drawn("rect", reach)));
    });
    return svg;
  }

  map() {
    const { points } = this.book.map;
    const used = points.filter((_, code) => this.book.counts[code]);
    const basis = used.length > 2 ? used : points;
    const [low, high] = [Math.min, Math.max].map((end) => {
      return [0, 1].map((axis) => end(...basis.map((point) => point[axis])));
    });
    const at = (point, axis, size) => {
      const span = Math.max(high[axis] - low[axis], 1e-9);
      const share = Math.min(Math.max((point[axis] - low[axis]) / span, -0.03), 1.03);
      return 20 + (size - 40) * (axis ? 1 - share : share);
    };
    const svg = drawn("svg", { viewBox: "0 0 600 420" });
    const most = Math.max(...this.book.counts, 1);
    points.forEach((point, code) => {
      const count = this.book.counts[code];
      const radius = count ? 3 + 9 * Math.sqrt(count / most) : 2.5;
      const place = { cx: at(point, 0, 600), cy: at(point, 1, 420), r: radius };
      const made = drawn("circle", { ...place, class: count ? "point" : "point none" });
      made.style.setProperty("--own", this.book.colour(code));
      svg.append(this.part(code, made));
    });
    return svg;
  }

  mark(code) {
    for (const parts of this.parts.values()) for (const part of parts) part.classList.remove("on");
    for (const part of this.parts.get(code) || []) part.classList.add("on");
  }
}
