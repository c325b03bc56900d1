// Clips to choose from, and the chosen one in 3-D: real beside generated, on one clock.

const find = (name) => document.getElementById(name);
const CHOICES = { mesh: true, follow: null, trail: true, contacts: true, loop: true };

class Results {
  constructor(page, body) {
    Object.assign(this, { page, body, clips: new Map(), cells: [], turn: 0, follows: null });
    this.view = new View();
    this.choices = { ...CHOICES, mesh: page.clips.some((clip) => clip.body) };
    this.player = new Player(this.view, this.choices);
    this.view.onResize = () => this.view.touched || this.view.reset(this.choices.follow);
    find("looks").hidden = !this.choices.mesh;
    this.filters();
  }

  filters() {
    for (const { name, title } of this.page.tasks) find("task").append(new Option(title, name));
    find("task").addEventListener("change", () => this.ofTask());
    for (const [name, kind] of [["action", "change"], ["search", "input"]]) {
      find(name).addEventListener(kind, () => this.list());
    }
    find("order").addEventListener("change", async () => {
      await this.list();
      if (this.listed.length) this.choose(this.listed[0]);
    });
    find("before").addEventListener("click", () => this.step(-1));
    find("next").addEventListener("click", () => this.step(1));
    const theme = window.matchMedia("(prefers-color-scheme: dark)");
    theme.addEventListener("change", () => {
      for (const { stage } of this.cells) stage.setColours(themeColours());
      this.view.changed = true;
    });
  }

  get task() {
    return this.page.tasks.find(({ name }) => name === find("task").value);
  }

  // The actions, numbers and clips of the task that is chosen.
  ofTask() {
    const actions = new Set();
    for (const one of this.page.shown) {
      if (one.task === this.task.name) for (const action of one.actions) actions.add(action);
    }
    find("action").replaceChildren(new Option("all actions", ""));
    for (const action of [...actions].sort()) find("action").append(new Option(action, action));
    find("action").hidden = !actions.size;
    const { distance } = this.task;
    find("order").querySelectorAll("[value=worst], [value=best]").forEach((option) => {
      option.hidden = !distance;
      option.textContent = `${option.value} first${distance ? `: ${distance.label}` : ""}`;
    });
    if (!distance) find("order").value = "varied";
    for (const table of document.querySelectorAll("details.numbers")) {
      table.open = table.dataset.task === this.task.name;
    }
    return this.list();
  }

  fits(one) {
    const [action, asked] = [find("action").value, find("search").value.trim().toLowerCase()];
    const said = one.said.map(([, words]) => words);
    const words = [one.clip, ...said, ...one.captions].join("\n").toLowerCase();
    return one.task === this.task.name && (!action || one.actions.includes(action)) &&
      words.includes(asked);
  }

  list() {
    const order = find("order").value;
    const far = ({ distance }) => distance ?? -Infinity;
    this.listed = this.page.shown.filter((one) => this.fits(one));
    if (order !== "varied") {
      this.listed.sort((a, b) => (order === "worst" ? far(b) - far(a) : far(a) - far(b)));
    }
    find("list").replaceChildren(...this.listed.map((one) => this.line(one)));
    find("count").textContent = `${this.listed.length} clips`;
    if (!this.listed.includes(this.chosen) && this.listed.length) return this.choose(this.listed[0]);
    this.mark();
    return Promise.resolve();
  }

  line(one) {
    const item = element("li");
    const button = element("button");
    button.type = "button";
    button.append(spoken(element("span", "words"), one.caption || one.clip));
    const facts = [one.clip, one.actions.join(", "), this.distanceOf(one)].filter(Boolean);
    button.append(spoken(element("span", "faint"), facts.join(" · ")));
    button.addEventListener("click", () => this.choose(one));
    item.append(button);
    item.one = one;
    return item;
  }

  distanceOf({ task, distance }) {
    if (distance === null) return "";
    const measured = this.page.tasks.find(({ name }) => name === task).distance;
    return `${measured.label} ${distance.toFixed(3)} ${measured.unit}`.trim();
  }

  step(by) {
    const place = this.listed.indexOf(this.chosen) + by;
    if (place >= 0 && place < this.listed.length) this.choose(this.listed[place]);
  }

  mark() {
    for (const item of find("list").children) {
      item.firstChild.setAttribute("aria-current", String(item.one === this.chosen));
    }
    const place = this.listed.indexOf(this.chosen);
    find("before").disabled = place <= 0;
    find("next").disabled = place < 0 || place >= this.listed.length - 1;
  }

  async choose(one) {
    this.chosen = one;
    this.mark();
    spoken(find("caption"), one.caption || one.clip);
    this.sentences(one);
    const mine = ++this.turn;
    const clips = await Promise.all(one.motions.map((number) => this.read(number)));
    if (mine !== this.turn) return; // another was chosen meanwhile
    find("shown").classList.toggle("one", clips.length === 1);
    this.show(clips);
    if (find(location.hash.slice(1))) return; // the address names another part of the page
    history.replaceState(null, "", `#${[one.task, one.clip].map(encodeURIComponent).join("/")}`);
  }

  async read(number) {
    if (!this.clips.has(number)) {
      const given = this.page.clips[number];
      this.clips.set(number, await Clip.read(given, this.page.skeletons[given.skeleton], this.body));
    }
    return this.clips.get(number);
  }

  show(clips) {
    const row = find("clips");
    row.replaceChildren();
    if (!clips.length) return;
    const [colours, longest] = [themeColours(), Math.max(...clips.map((clip) => clip.seconds))];
    this.cells = clips.map((clip) => new Cell(new Stage(clip, colours), longest));
    row.append(...this.cells.map((cell) => cell.figure));
    this.view.show(this.cells);
    // Each clip as suits it, until a person chooses otherwise.
    if (this.choices.follow === this.follows) {
      this.choices.follow = this.follows = this.view.wantsToFollow();
    }
    this.view.reset(this.choices.follow);
    this.view.addFloors(this.choices.follow, colours);
    find("given").hidden = !clips.some((clip) => clip.given.length);
    this.player.load(clips);
  }

  sentences(one) {
    const box = find("sentences");
    box.replaceChildren();
    const shown = one.captions.length > 1 || one.said.length ? one.captions : [];
    const lists = [...one.said.map(([who, words]) => [who, [words]]), ["people wrote", shown]];
    for (const [title, words] of lists) {
      if (!words.length) continue;
      const part = element("div");
      part.append(spoken(element("h3"), title));
      for (const said of words) part.append(spoken(element("p"), said));
      box.append(part);
    }
  }

  // The clip that the address names, else the first.
  async begin() {
    const [task, clip] = location.hash.slice(1).split("/").map(decodeURIComponent);
    const named = this.page.shown.find((one) => one.task === task && one.clip === clip);
    if (named) {
      find("task").value = task;
      this.chosen = named;
    }
    await this.ofTask();
    if (named) await this.choose(named);
  }
}

async function begin() {
  const page = JSON.parse(find("data").textContent);
  const body = page.body ? await BodyMesh.read(page.body) : null;
  if (page.shown.length) {
    const results = new Results(page, body);
    await results.begin();
    find("bar").hidden = false;
    if (!window.matchMedia("(prefers-reduced-motion: reduce)").matches) results.player.play(true);
  } else {
    document.querySelector("main").hidden = true;
  }
  document.documentElement.dataset.ready = "true";
}

begin().catch((error) => {
  find("problem").hidden = false;
  find("problem").textContent = `The motion can't be shown here: ${error.message}`;
  throw error;
});
