// Read what Python wrote into the page, put it up, and play.

function put(cells) {
  const main = document.getElementById("clips");
  let group = null;
  let row = null;
  for (const cell of cells) {
    const heading = cell.stage.clip.group;
    if (!row || heading !== group) {
      group = heading;
      if (heading) main.append(spoken(element("h2"), heading));
      row = element("section", cells.length > 1 ? "row" : "row single");
      main.append(row);
    }
    row.append(cell.figure);
  }
}

async function start() {
  const page = JSON.parse(document.getElementById("data").textContent);
  const packed = page.body || window.MOTION_VIEWER_BODY; // of this page, or of the folder beside it
  const body = packed ? await BodyMesh.read(packed) : null;
  const clips = await Promise.all(
    page.clips.map((given) => Clip.read(given, page.skeletons[given.skeleton], body)),
  );
  const colours = themeColours();
  const longest = Math.max(...clips.map((clip) => clip.seconds));
  const cells = clips.map((clip) => new Cell(new Stage(clip, colours), longest));
  put(cells);
  document.body.classList.toggle("alone", cells.length === 1);
  const worn = clips.some((clip) => clip.worn);
  document.getElementById("looks").hidden = !worn;
  document.getElementById("given").hidden = !clips.some((clip) => clip.given.length);
  const view = new View();
  view.show(cells);
  const choices = { ...page.choices, mesh: page.choices.mesh && worn };
  if (choices.follow === null) choices.follow = view.wantsToFollow();
  view.reset(choices.follow);
  view.addFloors(choices.follow, colours);
  view.onResize = () => view.touched || view.reset(choices.follow);
  const player = new Player(view, choices);
  player.load(clips);
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", () => {
    for (const { stage } of cells) stage.setColours(themeColours());
    view.changed = true;
  });
  document.getElementById("bar").hidden = false;
  document.documentElement.dataset.ready = "true";
  if (page.choices.play && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    player.play(true);
  }
}

start().catch((error) => {
  const problem = document.getElementById("problem");
  problem.hidden = false;
  problem.textContent = `The motion can't be shown here: ${error.message}`;
  throw error;
});
