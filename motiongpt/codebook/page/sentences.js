// Sentences as codes: which words each code was read from, the darker the more.

class Sentence {
  static async read(given, page) {
    const sentence = new Sentence();
    Object.assign(sentence, given, { page });
    sentence.joints = await unpacked(given.joints);
    return sentence;
  }

  put(parent, screen, choose) {
    const { page, frames } = this;
    const box = element("article", "clip");
    box.append(Object.assign(element("h3", "", this.text), { dir: "auto" }));
    const pair = element("div", "large");
    const figure = element("figure");
    const canvas = element("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", this.text);
    figure.append(canvas, element("figcaption", "", "generated"));
    pair.append(figure);
    box.append(pair, this.table(choose));
    parent.append(box);
    const motion = new Motion(this.joints, page.skeleton, page.height, [0, frames, 0, frames]);
    const shown = screen.add(new Figure(canvas, motion, page.fps));
    screen.watchers.push((seconds) => this.mark(shown.place(seconds)));
  }

  // A row a word, a column a code.
  table(choose) {
    const scroll = element("div", "scroll");
    const table = element("table", "read");
    const head = element("tr");
    head.append(element("th"));
    this.columns = this.codes.map((code) => {
      const cell = element("td");
      const button = element("button", "", String(code));
      button.type = "button";
      button.addEventListener("click", () => choose(code, 0));
      cell.append(button);
      head.append(cell);
      return cell;
    });
    table.append(head);
    const most = Math.max(...this.weights.flat(), 1e-9);
    this.words.forEach((word, column) => {
      const row = element("tr");
      row.append(Object.assign(element("th", "", word), { dir: "auto", scope: "row" }));
      for (const weights of this.weights) {
        const cell = element("td", "share");
        cell.style.setProperty("--share", `${Math.round((100 * weights[column]) / most)}%`);
        cell.title = `${word}: ${(100 * weights[column]).toFixed(1)} %`;
        row.append(cell);
      }
      table.append(row);
    });
    scroll.append(table);
    return scroll;
  }

  mark(frame) {
    const now = Math.floor(frame / this.page.framesPerToken);
    if (now === this.now) return;
    this.columns[this.now]?.classList.remove("on");
    this.columns[now]?.classList.add("on");
    this.now = now;
  }
}
