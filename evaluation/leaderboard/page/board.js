// Which numbers of the leaderboard are shown: of a task, its main metrics, all, or one.

const MAIN = "main", ALL = "all";

class Board {
  constructor() {
    this.tables = [...document.querySelectorAll("#tables > details.table")].map((part) => ({
      part,
      heads: [...part.querySelectorAll("table.sortable thead tr:last-child th")],
      spans: [...part.querySelectorAll("thead th.span")],
      bodies: [...part.querySelector("table.sortable").tBodies],
    }));
    this.metrics = this.tables.flatMap(({ heads }) => heads.filter((head) => head.dataset.task));
    const task = this.named("board-task");
    for (const name of new Set(this.metrics.map(({ dataset }) => dataset.task))) {
      task.append(new Option(name.replaceAll("_", " "), name));
    }
    task.addEventListener("change", () => this.ofTask());
    this.named("board-filters").addEventListener("change", () => this.apply());
    this.named("task")?.addEventListener("change", ({ target }) => this.follow(target.value));
    window.addEventListener("hashchange", () => this.unfold());
    this.named("board-filters").hidden = false;
    task.value = [...task.options].some(({ value }) => value === "text_to_motion")
      ? "text_to_motion" : task.options[0].value;
    this.ofTask();
    this.unfold();
  }

  named(name) {
    return document.getElementById(name);
  }

  // The motion's task is the numbers' task, too, where they have it.
  follow(name) {
    const task = this.named("board-task");
    const of = name.split("/")[0];
    if (![...task.options].some(({ value }) => value === of)) return;
    task.value = of;
    this.ofTask();
  }

  // What lies in a folded part is shown when a link leads to it.
  unfold() {
    let part = this.named(decodeURIComponent(location.hash.slice(1)));
    if (!part || part.closest(".motion")) return;
    const target = part;
    for (; part; part = part.parentElement) if (part.localName === "details") part.open = true;
    target.scrollIntoView();
  }

  ofTask() {
    const task = this.named("board-task").value;
    const metric = this.named("board-metric");
    const titles = new Map([[MAIN, "main numbers"], [ALL, "all numbers"]]);
    for (const { dataset, textContent } of this.metrics) {
      if (task && dataset.task === task) titles.set(dataset.metric, textContent.trim());
    }
    metric.replaceChildren(...[...titles].map(([value, title]) => new Option(title, value)));
    this.apply();
    const there = this.tables.filter(({ part }) => !part.hidden);
    const own = ({ part }) => Number(part.dataset.own);
    const first = there.reduce((best, one) => (own(one) > own(best) ? one : best), there[0]);
    for (const { part } of this.tables) part.open = part === first?.part;
  }

  wants({ dataset }) {
    const [task, metric] = ["board-task", "board-metric"].map((name) => this.named(name).value);
    if (task && dataset.task !== task) return false;
    if (metric === MAIN) return "main" in dataset;
    return metric === ALL || dataset.metric === metric;
  }

  apply() {
    for (const table of this.tables) {
      const shown = table.heads.map((head) =>
        head.dataset.task ? this.wants(head)
          : !head.classList.contains("verdict") || this.named("board-verdict").checked);
      const numbers = table.heads.flatMap((head, at) => (head.dataset.task && shown[at] ? [at] : []));
      table.part.hidden = !numbers.length;
      table.heads.forEach((head, at) => (head.hidden = !shown[at]));
      this.applySpans(table, shown);
      for (const body of table.bodies) this.applyBody(body, shown, numbers);
    }
  }

  applySpans({ heads, spans }, shown) {
    let at = heads.findIndex((head) => head.dataset.task);
    for (const span of spans) {
      span.dataset.count ??= span.colSpan;
      const count = Number(span.dataset.count);
      const visible = shown.slice(at, at + count).filter(Boolean).length;
      span.hidden = !visible;
      span.colSpan = visible || 1;
      at += count;
    }
    const verdict = spans.length ? spans.at(-1).nextElementSibling : null;
    if (verdict) verdict.hidden = !this.named("board-verdict").checked;
  }

  // A row without any of the wanted numbers says nothing, nor does a group without rows.
  applyBody(body, shown, numbers) {
    let rows = 0;
    for (const row of body.rows) {
      if (row.classList.contains("group")) continue;
      const [published, baseline] = ["published", "baseline"].map((name) => this.named(`board-${name}`));
      const unwanted = (!published.checked && !row.classList.contains("own")) ||
        (!baseline.checked && row.classList.contains("baseline"));
      row.hidden = unwanted || numbers.every((at) => row.cells[at].dataset.value === "");
      rows += !row.hidden;
      shown.forEach((wanted, at) => (row.cells[at].hidden = !wanted));
    }
    body.hidden = !rows;
  }
}

new Board();
document.documentElement.dataset.board = "ready";
