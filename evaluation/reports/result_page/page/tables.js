// Tables that sort: a press on a head, once up, once down.

function sortable(table) {
  const heads = [...table.querySelectorAll("thead th")];
  heads.forEach((head, column) => {
    head.setAttribute("aria-sort", "none");
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((one, other) => {
        const [a, b] = [one, other].map((row) => cellValue(row.cells[column]));
        if (a === "" || b === "") return (a === "") - (b === ""); // what is absent comes last
        const order = typeof a === "number" ? a - b : a.localeCompare(b);
        return up ? order : -order;
      });
      body.append(...rows);
    });
  });
}

function cellValue({ dataset, textContent }) {
  if (dataset.value === undefined) return textContent;
  return dataset.value === "" ? "" : Number(dataset.value);
}
