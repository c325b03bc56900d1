// One code, large: in context and repeated, its neighbours in time and in space, and its words.

class Chosen {
  constructor(book, screen, choose) {
    Object.assign(this, { book, screen, choose, figures: [] });
    this.panel = document.getElementById("chosen");
  }

  show(code) {
    this.screen.remove(this.figures);
    this.figures = [];
    const { book } = this;
    const about = book.about.get(code) || {};
    const many = book.page.codebooks.length > 1 ? ` of codebook ${book.number + 1}` : "";
    const title = element("h2", "", `Code ${code}${many}`);
    const uses = `${book.counts[code].toLocaleString("en")} tokens`;
    const adds = about.adds === undefined ? "" : `; moves joints by ${about.adds} mm here`;
    const said = element("p", "faint", `${uses}, ${book.used(code)}${adds}`);
    const large = element("div", "large");
    for (const [look, words] of [["context", "in context"], ["repeated", "repeated"]]) {
      if (about[look]) large.append(this.picture(code, look, words));
    }
    if (!large.childNodes.length) large.append(element("p", "", "no token has it, and it is none alone"));
    const words = element("div", "lists");
    words.append(this.words(code));
    const around = element("div");
    for (const [name, pairs] of [["before", about.before], ["after", about.after]]) {
      if (pairs) around.append(this.chips(`most often ${name}`, pairs));
    }
    words.append(around);
    const both = element("div", "about");
    both.append(large, words);
    this.panel.replaceChildren(title, said, both, this.near(code));
  }

  picture(code, look, words) {
    const figure = element("figure");
    const canvas = element("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `code ${code} ${words}`);
    figure.append(canvas, element("figcaption", "", words));
    this.add(canvas, this.book.motion(code, look));
    return figure;
  }

  add(canvas, motion) {
    if (!motion) return;
    this.figures.push(this.screen.add(new Figure(canvas, motion, this.book.page.fps)));
  }

  words(code) {
    const box = element("div", "scroll");
    box.append(element("h3", "", "words of its captions"));
    const found = this.book.words[code];
    if (!found.length) {
      box.append(element("p", "faint", "none that goes with it beyond chance"));
      return box;
    }
    const table = element("table");
    const head = element("tr");
    for (const name of ["word", "clips", "log odds", "score"]) head.append(element("th", "", name));
    table.append(head);
    for (const row of found) {
      const line = element("tr");
      for (const cell of row) line.append(element("td", "", String(cell)));
      table.append(line);
    }
    box.append(table);
    return box;
  }

  // Codes of the first codebook.
  chips(title, pairs) {
    const box = element("div");
    box.append(element("h3", "", title));
    for (const [code, share] of pairs) {
      const chip = element("button", "chip", `${code} · ${(100 * share).toFixed(0)} %`);
      chip.type = "button";
      chip.addEventListener("click", () => this.choose(code, 0));
      box.append(chip);
    }
    if (!pairs.length) box.append(element("p", "faint", "none"));
    return box;
  }

  // The nearest codes, as figures: whether what lies near looks alike.
  near(code) {
    const box = element("div");
    box.append(element("h3", "", "nearest in the codebook"));
    const row = element("div", "near");
    for (const [other, distance] of this.book.neighbours[code]) {
      const card = element("button", "code");
      card.type = "button";
      const canvas = element("canvas");
      const line = element("span", "line");
      line.append(element("b", "", String(other)), element("span", "", distance.toPrecision(3)));
      card.append(canvas, line);
      card.addEventListener("click", () => this.choose(other));
      this.add(canvas, this.book.motion(other, "context"));
      row.append(card);
    }
    box.append(row);
    return box;
  }
}
