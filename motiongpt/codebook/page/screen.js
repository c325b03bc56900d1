// All figures of the page: those in sight are drawn, by one clock and one camera.
class Screen {
  constructor() {
    this.camera = new Camera();
    this.figures = new Set();
    this.watchers = [];
    Object.assign(this, { time: 0, playing: true, speed: 1, changed: true });
    this.colours = themeColours();
    this.seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        target.figure.inSight = isIntersecting;
        if (!isIntersecting) target.width = target.height = 0; // frees the pixels
      }
      this.changed = true;
    });
    const theme = window.matchMedia("(prefers-color-scheme: dark)");
    theme.addEventListener("change", () => {
      this.colours = themeColours();
      this.changed = true;
    });
    window.addEventListener("resize", () => (this.changed = true));
    requestAnimationFrame((now) => this.tick(now));
  }

  add(figure) {
    figure.canvas.figure = figure;
    this.figures.add(figure);
    this.seen.observe(figure.canvas);
    this.turnable(figure.canvas);
    this.changed = true;
    return figure;
  }

  remove(figures) {
    for (const figure of figures) {
      this.figures.delete(figure);
      this.seen.unobserve(figure.canvas);
    }
  }

  turnable(canvas) {
    let last = null;
    let moved = false;
    canvas.style.touchAction = "pan-y"; // one finger turns sideways, the page scrolls
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      moved = false;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last || !event.buttons) return;
      const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
      if (!moved && Math.hypot(dx, dy) < 3) return;
      if (!moved) canvas.setPointerCapture(event.pointerId);
      moved = true;
      last = [event.clientX, event.clientY];
      this.camera.turnTo(this.camera.azimuth - 0.01 * dx, this.camera.elevation + 0.01 * dy);
      this.changed = true;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => (last = null));
    }
    canvas.addEventListener("click", (event) => moved && event.stopPropagation()); // was a turn
  }

  tick(now) {
    if (this.playing && this.before !== undefined) {
      this.time += (this.speed * Math.min(now - this.before, 250)) / 1000;
      this.changed = true;
    }
    this.before = now;
    if (this.changed) {
      this.changed = false;
      for (const figure of this.figures) {
        if (figure.inSight) figure.draw(this.time, this.camera, this.colours);
      }
      for (const watcher of this.watchers) watcher(this.time);
    }
    requestAnimationFrame((later) => this.tick(later));
  }
}

function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["left", "right", "body", "left-pale", "right-pale", "body-pale", "shadow"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function element(tag, name = "", words = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (words) made.textContent = words; // text, whatever it looks like
  return made;
}
