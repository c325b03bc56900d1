// The codes of one codebook: what is known of each, and a card for each of them.

class Book {
  static async read(given, page, number) {
    const book = new Book();
    Object.assign(book, given, { number, total: given.counts.reduce((sum, one) => sum + one, 0) });
    book.about = new Map(given.figures.codes.map((one) => [one.code, one]));
    book.joints = {};
    for (const look of ["context", "repeated"]) {
      if (given.figures[look]) book.joints[look] = await unpacked(given.figures[look]);
    }
    book.page = page;
    return book;
  }

  // The motion of a code in one of its looks; in the other where it lacks that one.
  motion(code, look) {
    const one = this.about.get(code);
    const found = one && [look, "context", "repeated"].find((name) => one[name]);
    if (!found) return null;
    return new Motion(this.joints[found], this.page.skeleton, this.page.height, one[found]);
  }

  share(code) {
    return this.total ? this.counts[code] / this.total : 0;
  }

  said(code) {
    const words = this.words[code].map(([word]) => word).join(", ");
    return [this.used(code), words].filter(Boolean).join("; ");
  }

  used(code) {
    if (!this.counts[code]) return "dead";
    const percent = 100 * this.share(code);
    return `${percent < 0.1 ? percent.toPrecision(1) : percent.toFixed(1)} %`;
  }

  // Codes that lie near each other have nearly the same colour.
  colour(code) {
    const [x, y] = this.map.points[code];
    return `hsl(${Math.round((180 * Math.atan2(y, x)) / Math.PI + 180)} 62% 55%)`;
  }
}

class Cards {
  constructor(book, screen, choose) {
    Object.assign(this, { book, screen });
    this.grid = document.getElementById("codes");
    this.grid.replaceChildren();
    this.cards = new Map();
    for (let code = 0; code < book.counts.length; code++) {
      if (!book.counts[code]) continue;
      this.cards.set(code, this.card(code, choose));
    }
    this.deadCodes(choose);
    this.look("context");
  }

  card(code, choose) {
    const card = element("button", "code");
    card.type = "button";
    card.canvas = element("canvas");
    const line = element("span", "line");
    line.append(element("b", "", String(code)), element("span", "", this.book.used(code)));
    const words = this.book.words[code].slice(0, 3).map(([word]) => word);
    card.append(card.canvas, line, element("span", "words", words.join(", ") || "–"));
    card.setAttribute("aria-label", `code ${code}: ${this.book.said(code)}`);
    card.addEventListener("click", () => choose(code));
    return card;
  }

  deadCodes(choose) {
    const dead = [...this.book.counts.keys()].filter((code) => !this.book.counts[code]);
    const details = document.getElementById("dead");
    details.hidden = !dead.length;
    details.firstElementChild.textContent = `${dead.length} dead codes, which no token has`;
    const links = dead.map((code) => {
      const link = element("button", "chip", String(code));
      link.type = "button";
      link.addEventListener("click", () => choose(code));
      return link;
    });
    details.lastElementChild.replaceChildren(...links);
  }

  look(name) {
    this.screen.remove([...this.cards.values()].map((card) => card.figure).filter(Boolean));
    for (const [code, card] of this.cards) {
      const motion = this.book.motion(code, name);
      card.figure = motion && this.screen.add(new Figure(card.canvas, motion, this.book.page.fps));
    }
  }

  // Put cards in order, and show those that a word or a number finds; how many that are.
  arrange(order, query, chosen) {
    const { book } = this;
    const near = new Map((book.neighbours[chosen] || []).map(([code, distance]) => [code, distance]));
    const adds = (code) => book.about.get(code)?.adds ?? 0;
    const by = {
      used: (code) => -book.counts[code],
      rare: (code) => book.counts[code],
      number: (code) => code,
      adds: (code) => -adds(code),
      near: (code) => (code === chosen ? -1 : (near.get(code) ?? Infinity)),
    }[order];
    const asked = query.trim().toLowerCase();
    const fits = (code) =>
      !asked || String(code) === asked || book.words[code].some(([word]) => word.includes(asked));
    const codes = [...this.cards.keys()].filter(fits);
    codes.sort((a, b) => (by(a) === by(b) ? a - b : by(a) - by(b)));
    this.grid.replaceChildren(...codes.map((code) => this.cards.get(code)));
    return codes;
  }

  mark(code) {
    for (const [other, card] of this.cards) {
      card.setAttribute("aria-pressed", String(other === code));
    }
  }
}
