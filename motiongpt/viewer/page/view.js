// One camera for all clips, turned on any of them, and one renderer that draws the cells in sight.

const AZIMUTH = (35 * Math.PI) / 180; // as motiongpt/render/camera.py
const ELEVATION = (16 * Math.PI) / 180;
const FIELD = 28; // degrees, of the picture's height
const FLESH = 0.1; // metres that a body reaches beyond its joints
const FOLLOW_BELOW = 0.6; // follow where a fixed view would draw people smaller than that

class View {
  constructor() {
    this.cells = this.controls = [];
    this.renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
    this.camera = new THREE.PerspectiveCamera(FIELD, 1, 0.05, 1000);
    this.target = new THREE.Vector3();
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.target.cell.inSight = entry.isIntersecting;
      this.changed = true;
    });
    this.sized = new ResizeObserver(() => this.resize());
  }

  // Draw these clips from now on, which are on the page, and no others.
  show(cells) {
    for (const controls of this.controls) controls.dispose();
    for (const { canvas, stage } of this.cells) {
      this.seen.unobserve(canvas);
      this.sized.unobserve(canvas);
      stage.forget();
    }
    this.cells = cells;
    for (const cell of cells) {
      cell.canvas.cell = cell;
      this.seen.observe(cell.canvas);
    }
    this.controls = cells.map((cell) => this.controlsOf(cell));
    this.sized.observe(cells[0].canvas);
    this.resize();
    this.changed = true;
  }

  controlsOf(cell) {
    const controls = new THREE.OrbitControls(this.camera, cell.canvas);
    controls.target = this.target;
    controls.maxPolarAngle = 0.53 * Math.PI;
    controls.addEventListener("change", () => {
      this.changed = this.touched = true;
    });
    // Where the page scrolls, the wheel does too, unless Ctrl is held; one finger turns sideways.
    const scrolls = () => document.documentElement.scrollHeight > window.innerHeight + 4;
    cell.canvas.addEventListener(
      "wheel",
      (event) => (controls.enableZoom = event.ctrlKey || !scrolls()),
      { capture: true },
    );
    cell.canvas.style.touchAction = this.cells.length > 1 ? "pan-y" : "none";
    return controls;
  }

  // How far the camera must be for all clips to fit.
  distance(follow) {
    return Math.max(...this.cells.map((cell) => this.distanceOf(cell.stage, follow)));
  }

  distanceOf(stage, follow) {
    const tall = Math.tan((FIELD * Math.PI) / 360) * 0.93;
    const wide = tall * this.camera.aspect;
    const { clip } = stage;
    const toCamera = direction();
    const right = new THREE.Vector3(Math.cos(AZIMUTH), 0, -Math.sin(AZIMUTH));
    const up = toCamera.clone().cross(right);
    let distance = 0;
    const step = Math.max(Math.floor(clip.frames / 120), 1);
    for (let frame = 0; frame < clip.frames; frame += step) {
      const moment = { frame, next: frame, share: 0 };
      const [x, z] = stage.anchor(moment, follow);
      for (const point of clip.pose(moment)) {
        point.sub(new THREE.Vector3(x, clip.floor + this.height / 2, z));
        const [aside, above] = [Math.abs(point.dot(right)), Math.abs(point.dot(up))];
        const needed = Math.max((aside + FLESH) / wide, (above + 1.6 * FLESH) / tall);
        distance = Math.max(distance, needed + point.dot(toCamera));
      }
    }
    return distance;
  }

  addFloors(follow, colours) {
    const radius = Math.max(3.2, 1.1 * this.distance(follow));
    for (const { stage } of this.cells) stage.addFloor(radius, colours);
  }

  // The highest point of all, so that every clip stands on the same line.
  get height() {
    return Math.max(...this.cells.map(({ stage }) => stage.clip.top));
  }

  wantsToFollow() {
    return this.distance(true) < FOLLOW_BELOW * this.distance(false);
  }

  reset(follow) {
    const distance = this.distance(follow);
    this.target.set(0, this.height / 2, 0);
    this.camera.position.copy(this.target).addScaledVector(direction(), distance);
    Object.assign(this.camera, { near: distance / 50, far: distance * 60 });
    this.camera.updateProjectionMatrix();
    for (const controls of this.controls) {
      Object.assign(controls, { minDistance: distance / 12, maxDistance: distance * 8 });
      controls.update();
    }
    this.changed = true;
    this.touched = false;
  }

  resize() {
    const { clientWidth, clientHeight } = this.cells[0].canvas;
    if (!clientWidth || !clientHeight) return;
    const sharpness = Math.min(window.devicePixelRatio || 1, 2);
    this.size = [clientWidth, clientHeight].map((side) => Math.round(side * sharpness));
    this.renderer.setSize(...this.size, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    this.changed = true;
    if (this.onResize) this.onResize();
  }

  draw(seconds, choices) {
    this.camera.updateMatrixWorld();
    for (const cell of this.cells) {
      const moment = cell.stage.clip.moment(seconds);
      cell.tell(moment, seconds);
      if (!cell.inSight) continue;
      cell.stage.update(seconds, choices);
      this.renderer.render(cell.stage.scene, this.camera);
      const { canvas } = cell;
      if (canvas.width !== this.size[0]) canvas.width = this.size[0];
      if (canvas.height !== this.size[1]) canvas.height = this.size[1];
      canvas.getContext("2d").drawImage(this.renderer.domElement, 0, 0);
    }
    this.changed = false;
  }
}

function direction() {
  const flat = Math.cos(ELEVATION);
  const place = [Math.sin(AZIMUTH) * flat, Math.sin(ELEVATION), Math.cos(AZIMUTH) * flat];
  return new THREE.Vector3(...place);
}

function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["stage", "tile", "shadow", "path", "left", "right", "body", "skin"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
