// One clip on the page: its words, its picture, and a lane of its time.

class Cell {
  constructor(stage, longest) {
    this.stage = stage;
    const { clip } = stage;
    this.figure = element("figure", "clip");
    const caption = element("figcaption");
    for (const [name, words] of [["name", clip.name], ["caption", clip.caption]]) {
      if (words) caption.append(spoken(element("span", name), words));
    }
    this.canvas = element("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", [clip.name, clip.caption].filter(Boolean).join(": "));
    this.state = element("span", "state");
    const picture = element("div", "picture");
    picture.append(this.canvas, this.state);
    this.figure.append(...(caption.childNodes.length ? [caption] : []), picture);
    this.figure.append(this.laneOf(clip, longest));
  }

  // Given frames, standing feet, and the frame that is shown, over the length of the longest clip.
  laneOf(clip, longest) {
    const lane = element("div", "lane");
    const whole = element("div", "length");
    whole.style.width = `${(100 * clip.seconds) / longest}%`;
    const row = (kind, runs) => {
      const track = element("div", `track ${kind}`);
      for (const [first, last] of runs) {
        const run = element("i");
        run.style.left = `${(100 * first) / clip.frames}%`;
        run.style.width = `${(100 * (last - first)) / clip.frames}%`;
        track.append(run);
      }
      whole.append(track);
    };
    row("made", clip.given);
    row("left", clip.contacts[0]);
    row("right", clip.contacts[1]);
    this.head = element("b");
    whole.append(this.head);
    lane.append(whole);
    return lane;
  }

  tell({ frame }, seconds) {
    const { clip } = this.stage;
    const over = seconds > clip.seconds + 1e-6;
    const words = over ? "ended" : clip.isGiven(frame) ? "given" : clip.given.length ? "generated" : "";
    if (this.state.textContent !== words) this.state.textContent = words;
    this.head.style.left = `${(100 * Math.min(seconds, clip.seconds)) / clip.seconds}%`;
  }
}

function element(tag, name = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}

// Words of any script, in their own direction; they are text, whatever they look like.
function spoken(made, words) {
  made.dir = "auto";
  made.textContent = words;
  return made;
}
