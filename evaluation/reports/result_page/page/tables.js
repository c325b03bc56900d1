// Tables that sort: a press on a head, the best first, and once more the other way round.

function sortable(table) {
  const heads = [...table.querySelectorAll("thead tr:last-child th")];
  heads.forEach((head, column) => {
    head.setAttribute("aria-sort", "none");
    const button = head.querySelector("button");
    const turns = ["ascending", "descending"];
    if (button.dataset.better === "higher") turns.reverse();
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === turns[0] ? turns[1] : turns[0];
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", order);
      for (const body of table.tBodies) sortRows(body, column, order === "ascending");
    });
  });
}

// Rows of a group stay in it, between its title and what is said at its end; what is absent comes last.
function sortRows(body, column, up) {
  const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
  const end = rows.at(-1)?.nextElementSibling ?? null;
  rows.sort((one, other) => {
    const [a, b] = [one, other].map((row) => cellValue(row.cells[column]));
    if (a === "" || b === "") return (a === "") - (b === "");
    const numbers = typeof a === "number" && typeof b === "number";
    const order = numbers ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return up ? order : -order;
  });
  for (const row of rows) body.insertBefore(row, end);
}

function cellValue({ dataset, textContent }) {
  const value = dataset.value ?? textContent;
  return value === "" || Number.isNaN(Number(value)) ? value : Number(value);
}

document.querySelectorAll("table.sortable").forEach(sortable);
