// Small stick figures on flat canvases: a page has hundreds, too many for a WebGL scene each.

const AZIMUTH = (35 * Math.PI) / 180; // as motiongpt/render/camera.py
const ELEVATION = (16 * Math.PI) / 180;
const PAUSE = 0.35; // seconds between two rounds of a figure
const WALK = 0.5; // body heights; who goes farther is followed
const POINTS = 0.5; // metres between points of the floor
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
    const ends = [0, 2].map((axis) => {
      let [low, high] = [Infinity, -Infinity];
      for (let frame = 0; frame < frames; frame++) {
        const value = joints[this.width * (first + frame) + axis];
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
      return [low, high];
    });
    this.walks = Math.max(...ends.map(([low, high]) => high - low)) > WALK * height;
    const [x, z] = ends.map(([low, high]) => (low + high) / 2);
    this.middle = [x, height / 2, z];
  }

  // One joint between two frames, metres.
  joint(joint, place) {
    const frame = Math.min(Math.floor(place), this.frames - 1);
    const next = Math.min(frame + 1, this.frames - 1);
    return [0, 1, 2].map((axis) => {
      const before = this.joints[this.width * (this.first + frame) + 3 * joint + axis];
      const after = this.joints[this.width * (this.first + next) + 3 * joint + axis];
      return before + (place - frame) * (after - before);
    });
  }

  // What the view looks at: who walks far is followed.
  centre(place) {
    if (!this.walks) return this.middle;
    const [x, , z] = this.joint(0, place);
    return [x, this.height / 2, z];
  }

  // The joints between two frames, then the head's middle and the nose; metres from the centre.
  pose(place) {
    const centre = this.centre(place);
    const points = [];
    for (let joint = 0; joint < this.skeleton.joints; joint++) {
      points.push(minus(this.joint(joint, place), centre));
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
    this.ground(pen, pose[0], motion.centre(place), camera, [width, height, scale], colours);
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

  // A shadow below the pelvis, on the floor; of who is followed also points of the floor, to see
  // that it is gone over.
  ground(pen, [x, , z], centre, camera, [width, height, scale], colours) {
    const flat = Math.max(Math.abs(Math.sin(camera.elevation)), 0.05);
    pen.fillStyle = colours.shadow;
    const spot = (aside, ahead, radius) => {
      const [right, up] = camera.seen([aside, -centre[1], ahead]);
      const [across, down] = [width / 2 + scale * right, height / 2 - scale * up];
      pen.beginPath();
      pen.ellipse(across, down, radius * scale, radius * scale * flat, 0, 0, 2 * Math.PI);
      pen.fill();
    };
    spot(x, z, 0.16 * this.motion.height);
    if (!this.motion.walks) return;
    const nearest = [0, 2].map((axis) => Math.round(centre[axis] / POINTS) * POINTS);
    for (let i = -3; i <= 3; i++) {
      for (let j = -3; j <= 3; j++) {
        spot(nearest[0] + i * POINTS - centre[0], nearest[1] + j * POINTS - centre[2], 0.03);
      }
    }
  }
}
