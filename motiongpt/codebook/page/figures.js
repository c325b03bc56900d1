// Small stick figures on flat canvases: a page has hundreds, too many for a WebGL scene each.

const AZIMUTH = (35 * Math.PI) / 180; // as motiongpt/render/camera.py
const ELEVATION = (16 * Math.PI) / 180;
const PAUSE = 0.35; // seconds between two rounds of a figure
const ROOM = 1.3; // body heights that a picture shows

const minus = (a, b) => a.map((value, axis) => value - b[axis]);
const along = (a, direction, length) => a.map((value, axis) => value + length * direction[axis]);
const unit = (a) => a.map((value) => value / Math.max(Math.hypot(...a), 1e-9));
const cross = ([a, b, c], [x, y, z]) => [b * z - c * y, c * x - a * z, a * y - b * x];

// One view for all figures.
class Camera {
  constructor() {
    this.turnTo(AZIMUTH, ELEVATION);
  }

  turnTo(azimuth, elevation) {
    this.azimuth = azimuth;
    this.elevation = Math.min(Math.max(elevation, -0.1), 1.5);
    const [sine, cosine] = [Math.sin(azimuth), Math.cos(azimuth)];
    const [low, flat] = [Math.sin(this.elevation), Math.cos(this.elevation)];
    this.right = [cosine, 0, -sine];
    this.up = [-sine * low, flat, -cosine * low];
    this.ahead = [sine * flat, low, cosine * flat]; // towards the viewer
  }

  // Metres to the right, upwards and towards the viewer.
  seen(point) {
    const of = (axis) => axis[0] * point[0] + axis[1] * point[1] + axis[2] * point[2];
    return [of(this.right), of(this.up), of(this.ahead)];
  }
}

// Frames of one motion among many that are packed together; `own` are those of the code.
class Motion {
  constructor(joints, skeleton, height, [first, frames, own, past]) {
    Object.assign(this, { joints, skeleton, height, first, frames, own: [own, past] });
    this.width = 3 * skeleton.joints;
    const at = (frame, axis) => joints[this.width * (first + frame) + axis];
    const middle = (axis) => {
      let sum = 0;
      for (let frame = 0; frame < frames; frame++) sum += at(frame, axis);
      return sum / Math.max(frames, 1);
    };
    this.middle = [middle(0), height / 2, middle(2)];
  }

  // The joints between two frames, then the head's middle and the nose; metres from the middle.
  pose(place) {
    const frame = Math.min(Math.floor(place), this.frames - 1);
    const next = Math.min(frame + 1, this.frames - 1);
    const share = place - frame;
    const points = [];
    for (let joint = 0; joint < this.skeleton.joints; joint++) {
      points.push(
        [0, 1, 2].map((axis) => {
          const before = this.joints[this.width * (this.first + frame) + 3 * joint + axis];
          const after = this.joints[this.width * (this.first + next) + 3 * joint + axis];
          return before + share * (after - before) - this.middle[axis];
        }),
      );
    }
    const { neck, top, shoulders, head, ahead } = this.skeleton;
    const up = unit(minus(points[top], points[neck]));
    const facing = unit(cross(unit(minus(points[shoulders[0]], points[shoulders[1]])), up));
    const size = head.radius * this.height;
    const middle = along(along(points[top], up, 0.55 * size), facing, 0.1 * size);
    return [...points, middle, along(middle, facing, ahead * size)];
  }

  isOwn(place) {
    return this.own[0] <= place && place < this.own[1];
  }
}

// A motion on a canvas, in a loop of its own.
class Figure {
  constructor(canvas, motion, fps) {
    Object.assign(this, { canvas, motion, fps, inSight: false });
  }

  place(seconds) {
    const length = this.motion.frames / this.fps;
    return Math.min((seconds % (length + PAUSE)) * this.fps, this.motion.frames - 1);
  }

  draw(seconds, camera, colours) {
    const { canvas, motion } = this;
    const sharpness = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => {
      return Math.round(side * sharpness);
    });
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    const place = this.place(seconds);
    const scale = height / (ROOM * motion.height);
    const pose = motion.pose(place);
    const shown = pose.map((point) => {
      const [right, up, near] = camera.seen(point);
      return [width / 2 + scale * right, height / 2 - scale * up, near];
    });
    this.ground(pen, pose[0], camera, [width, height, scale], colours);
    const own = motion.isOwn(place);
    const colour = (side) => colours[own ? side : `${side}-pale`];
    pen.lineJoin = pen.lineCap = "round";
    const thick = scale * motion.height;
    const depth = ({ ends }) => ends.reduce((sum, [point]) => sum + shown[point][2], 0) / ends.length;
    const rods = [...motion.skeleton.rods].sort((one, other) => depth(one) - depth(other));
    for (const rod of rods) this.rod(pen, rod, shown, thick, colour(rod.side));
    const { head, nose } = motion.skeleton;
    for (const { point, radius } of [head, nose]) {
      if (point === nose.point && shown[point][2] < shown[head.point][2]) continue;
      pen.fillStyle = colour("body");
      pen.beginPath();
      pen.arc(shown[point][0], shown[point][1], radius * thick, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  rod(pen, { ends }, shown, thick, colour) {
    const radius = ends.reduce((sum, [, one]) => sum + one, 0) / ends.length;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = Math.max(2 * radius * thick, 1);
    pen.beginPath();
    ends.forEach(([point], i) => pen[i ? "lineTo" : "moveTo"](shown[point][0], shown[point][1]));
    if (ends.length > 2) {
      pen.closePath();
      pen.fill();
    }
    pen.stroke();
  }

  // A shadow below the pelvis, on the floor.
  ground(pen, [x, , z], camera, [width, height, scale], colours) {
    const [right, up] = camera.seen([x, -this.motion.middle[1], z]);
    const radius = 0.16 * this.motion.height * scale;
    const flat = Math.max(Math.abs(Math.sin(camera.elevation)), 0.05);
    pen.fillStyle = colours.shadow;
    pen.beginPath();
    const [across, down] = [width / 2 + scale * right, height / 2 - scale * up];
    pen.ellipse(across, down, radius, radius * flat, 0, 0, 2 * Math.PI);
    pen.fill();
  }
}

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
