// Read what Python wrote into the page, and put it up.

const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const find = (name) => document.getElementById(name);

class Page {
  constructor(data) {
    this.data = data;
    this.screen = new Screen();
    this.books = new Map();
    this.bar();
  }

  bar() {
    const { screen } = this;
    for (const times of SPEEDS) find("speed").append(new Option(`${times}×`, times));
    find("speed").value = 1;
    find("speed").addEventListener("change", (event) => (screen.speed = Number(event.target.value)));
    find("play").addEventListener("click", () => this.play(!screen.playing));
    const count = this.data.codebooks.length;
    for (let i = 0; i < count; i++) find("book").append(new Option(`${i + 1} of ${count}`, i));
    find("books").hidden = count === 1;
    find("order").querySelector("[value=adds]").hidden = count === 1;
    find("book").addEventListener("change", (event) => this.open(Number(event.target.value)));
    find("look").addEventListener("change", (event) => this.cards.look(event.target.value));
    for (const [name, kind] of [["order", "change"], ["search", "input"]]) {
      find(name).addEventListener(kind, () => this.arrange());
    }
    window.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (["INPUT", "SELECT", "BUTTON", "SUMMARY"].includes(event.target.tagName)) return;
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === " ") this.play(!screen.playing);
      else if (step) {
        this.play(false);
        screen.time = Math.max(screen.time + step / this.data.fps, 0);
        screen.changed = true;
      } else return;
      event.preventDefault();
    });
  }

  play(on) {
    this.screen.playing = on;
    find("play").textContent = on ? "pause" : "play";
  }

  async read(number) {
    if (!this.books.has(number)) {
      const book = await Book.read(this.data.codebooks[number], this.data, number);
      this.books.set(number, book);
      for (const line of this.timelines || []) line.paint(book);
    }
    return this.books.get(number);
  }

  async open(number, code = null) {
    const choose = (other, codebook = number) => this.choose(other, codebook);
    this.book = await this.read(number);
    find("book").value = number;
    if (this.cards) this.screen.remove([...this.cards.cards.values()].map((card) => card.figure));
    if (this.chosen) this.screen.remove(this.chosen.figures);
    this.charts = new Charts(this.book, choose);
    this.cards = new Cards(this.book, this.screen, choose);
    this.chosen = new Chosen(this.book, this.screen, choose);
    if (find("look").value !== "context") this.cards.look(find("look").value);
    const most = this.book.counts.indexOf(Math.max(...this.book.counts));
    this.mark(code ?? most);
    this.arrange();
  }

  async choose(code, codebook) {
    if (codebook !== this.book.number) await this.open(codebook, code);
    else this.mark(code);
    find("chosen").scrollIntoView({ block: "nearest" });
  }

  mark(code) {
    this.code = code;
    this.chosen.show(code);
    this.cards.mark(code);
    this.charts.mark(code);
    if (find("order").value === "near") this.arrange();
  }

  arrange() {
    const shown = this.cards.arrange(find("order").value, find("search").value, this.code);
    find("count").textContent = `${shown.length} codes`;
    this.screen.changed = true;
  }

  async clips() {
    find("clips-title").hidden = !this.data.clips.length;
    this.timelines = await Promise.all(this.data.clips.map((one) => Timeline.read(one, this.data)));
    for (const line of this.timelines) {
      line.put(find("clips"), this.screen, (code, codebook) => this.choose(code, codebook));
    }
    find("sentences-title").hidden = !this.data.sentences.length;
    for (const given of this.data.sentences) {
      const sentence = await Sentence.read(given, this.data);
      sentence.put(find("sentences"), this.screen, (code, codebook) => this.choose(code, codebook));
    }
    for (let number = 0; number < this.data.codebooks.length; number++) {
      const book = await this.read(number);
      for (const line of this.timelines) line.paint(book);
    }
  }
}

async function begin() {
  const page = new Page(JSON.parse(find("data").textContent));
  await page.open(0);
  find("bar").hidden = false;
  await page.clips();
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) page.play(false);
  document.documentElement.dataset.ready = "true";
}

begin().catch((error) => {
  find("problem").hidden = false;
  find("problem").textContent = `The codes can't be shown here: ${error.message}`;
  throw error;
});
