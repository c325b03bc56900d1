// The scene of one clip: the figure in both looks, the ground below it, and where the view stands.

const SMOOTHING = 0.4; // seconds; over which a following view evens out the root's way

class Stage {
  constructor(clip, colours) {
    this.clip = clip;
    this.scene = new THREE.Scene();
    this.scene.background = new THREE.Color();
    this.world = new THREE.Group(); // moved, so that the view's middle is at the origin
    this.scene.add(this.world, new THREE.HemisphereLight(0xffffff, 0x8a93a3, 2.0));
    this.sun = new THREE.DirectionalLight(0xffffff, 1.7);
    this.sun.position.set(1.5, 3, 2);
    this.scene.add(this.sun);
    this.sticks = new Sticks(clip, colours);
    this.trail = new Trail(clip, colours);
    this.marks = new Marks(clip, colours);
    this.shade = flatMaterial(colours.shadow, 4);
    this.world.add(this.sticks.group, this.trail.group, this.marks.group);
    if (clip.worn) {
      clip.worn.build(colours);
      this.world.add(clip.worn.group);
    }
    this.shadows = this.figures().map((figure) => shadowOf(figure.group, this.shade));
    this.scene.add(...this.shadows);
    this.middle = middleOf(clip);
    this.path = smoothedPath(clip);
    this.setColours(colours);
  }

  figures() {
    return this.clip.worn ? [this.sticks, this.clip.worn] : [this.sticks];
  }

  addFloor(radius, colours) {
    if (this.floor) this.scene.remove(this.floor.mesh);
    this.floor = new Floor(radius, colours);
    this.scene.add(this.floor.mesh);
  }

  // Free what the graphics card holds of it.
  forget() {
    this.scene.traverse(({ geometry, material }) => {
      geometry?.dispose();
      material?.dispose();
    });
    this.floor?.texture.dispose();
  }

  // Where the view's middle is on the floor, at a time.
  anchor(moment, follows) {
    if (!follows) return this.middle;
    const { frame, next, share } = moment;
    return [0, 1].map((axis) => {
      const before = this.path[2 * frame + axis];
      return before + share * (this.path[2 * next + axis] - before);
    });
  }

  update(seconds, choices) {
    const moment = this.clip.moment(seconds);
    const [x, z] = this.anchor(moment, choices.follow);
    this.world.position.set(-x, -this.clip.floor, -z);
    this.floor.moveTo(x, z);
    const figures = this.figures();
    const shown = choices.mesh ? figures.at(-1) : this.sticks;
    shown.update(moment);
    figures.forEach((figure, i) => {
      figure.group.visible = this.shadows[i].visible = figure === shown;
    });
    this.trail.group.visible = choices.trail;
    this.marks.group.visible = choices.contacts;
    this.trail.update(moment);
    this.marks.update(moment);
    this.setGiven(this.clip.isGiven(moment.frame));
    for (const part of [this.trail.group, this.marks.group]) part.position.y = this.clip.floor;
    this.scene.updateMatrixWorld();
    this.shadows[figures.indexOf(shown)].userData.update();
    return moment;
  }

  // What was given is paler than what was generated.
  setGiven(given) {
    if (given === this.given) return;
    this.given = given;
    const pale = (name) => {
      const colour = new THREE.Color(this.colours[name]);
      return given ? colour.lerp(new THREE.Color(this.colours.stage), 0.6) : colour;
    };
    const names = ["left", "right", "body", "skin"];
    const chosen = Object.fromEntries(names.map((name) => [name, pale(name)]));
    for (const figure of this.figures()) figure.setColours(chosen);
  }

  setColours(colours) {
    this.colours = colours;
    this.scene.background.set(colours.stage);
    this.shade.color.set(colours.shadow);
    this.trail.setColours(colours);
    this.marks.setColours(colours);
    if (this.floor) this.floor.material.color.set(colours.tile);
    const given = Boolean(this.given);
    this.given = null;
    this.setGiven(given);
  }
}

function middleOf({ root, frames }) {
  return [0, 2].map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (let frame = 0; frame < frames; frame++) {
      low = Math.min(low, root[3 * frame + axis]);
      high = Math.max(high, root[3 * frame + axis]);
    }
    return (low + high) / 2;
  });
}

// The root's way over the floor; before and after the clip it goes on as it came.
function smoothedPath({ root, frames, fps }) {
  const spread = SMOOTHING * fps;
  const reach = Math.min(Math.ceil(3 * spread), 200);
  const at = (frame, axis) => {
    const inside = Math.min(Math.max(frame, 0), frames - 1);
    const mirrored = Math.min(Math.max(2 * inside - frame, 0), frames - 1);
    const edge = root[3 * inside + axis];
    return frame === inside ? edge : 2 * edge - root[3 * mirrored + axis];
  };
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => {
    return Math.exp(-0.5 * ((i - reach) / Math.max(spread, 1e-6)) ** 2);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const path = new Float32Array(2 * frames);
  for (let frame = 0; frame < frames; frame++) {
    [0, 2].forEach((axis, i) => {
      let sum = 0;
      weights.forEach((weight, k) => (sum += weight * at(frame + k - reach, axis)));
      path[2 * frame + i] = sum / total;
    });
  }
  return path;
}
