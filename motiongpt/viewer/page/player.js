// The clock, and what people turn it with.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];

class Player {
  constructor(view, choices) {
    Object.assign(this, { view, choices, longest: 0, step: 0 });
    this.time = 0;
    this.playing = false;
    this.speed = 1;
    this.find = (name) => document.getElementById(name);
    this.bar();
    this.keys();
    this.frame = (now) => this.tick(now);
    requestAnimationFrame(this.frame);
  }

  bar() {
    const scrub = this.find("scrub");
    scrub.addEventListener("input", () => this.seek(Number(scrub.value)));
    this.find("play").addEventListener("click", () => this.play(!this.playing));
    const speed = this.find("speed");
    for (const times of SPEEDS) speed.append(new Option(`${times}×`, times));
    speed.value = this.speed;
    speed.addEventListener("change", () => (this.speed = Number(speed.value)));
    for (const name of ["loop", "follow", "trail", "contacts"]) this.toggle(name);
    for (const [name, mesh] of [["mesh", true], ["sticks", false]]) {
      this.find(name).addEventListener("click", () => this.choose("mesh", mesh));
    }
    this.find("reset").addEventListener("click", () => this.view.reset(this.choices.follow));
    this.show();
  }

  // Clips of the view as it is: from the start, as fine as the finest of them.
  load(clips) {
    this.longest = Math.max(...clips.map((clip) => clip.seconds));
    this.step = 1 / Math.max(...clips.map((clip) => clip.fps));
    Object.assign(this.find("scrub"), { max: this.longest, step: this.step / 4 });
    this.seek(0);
  }

  toggle(name) {
    this.find(name).addEventListener("click", () => this.choose(name, !this.choices[name]));
  }

  choose(name, value) {
    this.choices[name] = value;
    if (name === "follow") this.view.reset(value);
    this.show();
  }

  keys() {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    const toggles = { l: "loop", f: "follow", t: "trail", c: "contacts", m: "mesh" };
    window.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const aimed = event.target;
      if (aimed.matches("input:not([type=range]), textarea, summary")) return; // are typed in
      if (event.key === " ") {
        if (aimed.tagName === "BUTTON" && aimed.id !== "play") return; // presses that button
        this.play(!this.playing);
      } else if (event.key in steps && aimed.tagName !== "SELECT") {
        this.play(false);
        this.seek(this.time + steps[event.key] * (event.shiftKey ? 1 : this.step));
      } else if (event.key === "Home" || event.key === "End") {
        this.seek(event.key === "Home" ? 0 : this.longest);
      } else if (event.key in toggles) {
        const name = toggles[event.key];
        this.choose(name, !this.choices[name]);
      } else if (event.key === "r") {
        this.view.reset(this.choices.follow);
      } else return;
      event.preventDefault();
    });
  }

  play(on) {
    if (on && this.time >= this.longest) this.time = 0;
    this.playing = on;
    this.before = undefined;
    this.show();
  }

  seek(seconds) {
    this.time = Math.min(Math.max(seconds, 0), this.longest);
    this.show();
  }

  tick(now) {
    if (this.playing) {
      const gone = this.before === undefined ? 0 : (now - this.before) / 1000;
      this.before = now;
      this.time += gone * this.speed;
      if (this.time >= this.longest) {
        this.time = this.choices.loop ? this.time % this.longest : this.longest;
        this.playing = this.choices.loop;
      }
      this.show();
    }
    if (this.view.changed && this.view.size) this.view.draw(this.time, this.choices);
    requestAnimationFrame(this.frame);
  }

  // The bar as things are.
  show() {
    this.view.changed = true;
    this.find("scrub").value = this.time;
    this.find("time").textContent = `${this.time.toFixed(2)} / ${this.longest.toFixed(2)} s`;
    this.find("play").setAttribute("aria-label", this.playing ? "pause" : "play");
    this.find("play").classList.toggle("playing", this.playing);
    for (const name of ["loop", "follow", "trail", "contacts", "mesh"]) {
      this.find(name).setAttribute("aria-pressed", String(this.choices[name]));
    }
    this.find("sticks").setAttribute("aria-pressed", String(!this.choices.mesh));
  }
}
