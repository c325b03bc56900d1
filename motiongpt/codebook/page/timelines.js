// Clips beside their tokens: the motion, what its codes decode to, and a strip of the codes.

class Timeline {
  static async read(given, page) {
    const line = new Timeline();
    Object.assign(line, given, { page });
    [line.real, line.decoded] = await Promise.all([unpacked(given.real), unpacked(given.decoded)]);
    return line;
  }

  // `books` may not be read yet: a code's colour is asked for when it is.
  put(parent, screen, choose) {
    const { page } = this;
    const box = element("article", "clip");
    box.append(Object.assign(element("h3", "", this.name), { dir: "auto" }));
    for (const caption of this.captions) {
      box.append(Object.assign(element("p", "faint", caption), { dir: "auto" }));
    }
    const pair = element("div", "large");
    const motions = [this.real, this.decoded].map((joints, i) => {
      return new Motion(joints, page.skeleton, page.height, [0, this.frames[i], 0, this.frames[i]]);
    });
    const walks = motions.some((motion) => motion.walks);
    for (const [i, words] of ["real", "from its codes"].entries()) {
      const motion = Object.assign(motions[i], { walks }); // both are followed, or none
      const figure = element("figure");
      const canvas = element("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${this.name}: ${words}`);
      figure.append(canvas, element("figcaption", "", words));
      pair.append(figure);
      const shown = new Figure(canvas, motion, page.fps);
      shown.place = (seconds) => Math.min(this.place(seconds), motion.frames - 1);
      screen.add(shown);
    }
    box.append(pair, this.strip(choose));
    parent.append(box);
    screen.watchers.push((seconds) => this.mark(seconds));
  }

  place(seconds) {
    const length = this.frames[0] / this.page.fps;
    return Math.min((seconds % (length + PAUSE)) * this.page.fps, this.frames[0] - 1);
  }

  strip(choose) {
    const scroll = element("div", "scroll strip");
    const lane = element("div", "lane");
    this.rows = this.codes[0].map((_, codebook) => {
      const row = element("div", "tokens");
      for (const token of this.codes) {
        const code = token[codebook];
        const cell = element("button", "", code < 0 ? "" : String(code));
        cell.type = "button";
        cell.dataset.code = code;
        if (code < 0) cell.disabled = true;
        else cell.addEventListener("click", () => choose(code, codebook));
        row.append(cell);
      }
      lane.append(row);
      return row;
    });
    this.head = element("b", "head");
    lane.append(this.head);
    scroll.append(lane);
    return scroll;
  }

  // Colours of one codebook, once it is read.
  paint(book) {
    for (const cell of this.rows[book.number].children) {
      if (cell.dataset.code >= 0) cell.style.setProperty("--own", book.colour(Number(cell.dataset.code)));
    }
  }

  mark(seconds) {
    const token = this.place(seconds) / this.page.framesPerToken;
    this.head.style.left = `${(100 * token) / this.codes.length}%`;
    const now = Math.floor(token);
    if (now === this.now) return;
    this.now = now;
    for (const row of this.rows) {
      row.querySelector(".on")?.classList.remove("on");
      row.children[now]?.classList.add("on");
    }
  }
}
