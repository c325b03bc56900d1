// What lies on the floor: tiles that fade out, shadow, the root's trail, and marks of standing feet.
// All of it is drawn after the figure and writes no depth, so that nothing flickers.

const TILE = 0.5; // metres
const TRAIL = 0.022; // metres wide
const MARK = 0.075; // metres; radius of the mark below a standing foot

function flatMaterial(colour, order) {
  const material = new THREE.MeshBasicMaterial({
    color: colour,
    transparent: true,
    depthWrite: false,
    side: THREE.DoubleSide,
  });
  material.userData.order = order;
  return material;
}

function flatMesh(geometry, material) {
  const mesh = new THREE.Mesh(geometry, material);
  mesh.renderOrder = material.userData.order;
  mesh.frustumCulled = false;
  return mesh;
}

class Floor {
  constructor(radius, colours) {
    const tile = [255, 255, 255, 255];
    const gap = [255, 255, 255, 0];
    const squares = new Uint8Array([...tile, ...gap, ...gap, ...tile]);
    this.texture = new THREE.DataTexture(squares, 2, 2);
    Object.assign(this.texture, {
      wrapS: THREE.RepeatWrapping,
      wrapT: THREE.RepeatWrapping,
      magFilter: THREE.NearestFilter,
      minFilter: THREE.LinearMipmapLinearFilter,
      generateMipmaps: true,
      anisotropy: 8,
      needsUpdate: true,
    });
    this.material = flatMaterial(colours.tile, 1);
    Object.assign(this.material, { map: this.texture, vertexColors: true });
    this.mesh = flatMesh(fadingDisc(radius), this.material);
  }

  // The disc stays below the person, its tiles stay where they are in the world.
  moveTo(x, z) {
    this.texture.offset.set(x / (2 * TILE), z / (2 * TILE));
  }
}

function fadingDisc(radius) {
  const geometry = new THREE.RingGeometry(0, radius, 64, 24).rotateX(Math.PI / 2);
  const position = geometry.getAttribute("position");
  const [colours, places] = [[], []];
  for (let i = 0; i < position.count; i++) {
    const [x, z] = [position.getX(i), position.getZ(i)];
    const away = Math.hypot(x, z) / radius;
    colours.push(1, 1, 1, Math.max(1 - Math.max(away - 0.25, 0) / 0.75, 0) ** 1.5);
    places.push(x / (2 * TILE), z / (2 * TILE));
  }
  geometry.setAttribute("color", new THREE.BufferAttribute(new Float32Array(colours), 4));
  geometry.setAttribute("uv", new THREE.BufferAttribute(new Float32Array(places), 2));
  return geometry;
}

class Trail {
  constructor(clip, colours) {
    this.clip = clip;
    this.group = new THREE.Group();
    const geometry = ribbon(clip);
    this.whole = flatMesh(geometry, flatMaterial(colours.path, 2));
    this.whole.material.opacity = 0.35;
    this.walked = flatMesh(geometry.clone(), flatMaterial(colours.path, 3));
    this.group.add(this.whole, this.walked);
  }

  update({ frame }) {
    this.walked.geometry.setDrawRange(0, 6 * frame);
  }

  setColours(colours) {
    for (const mesh of this.group.children) mesh.material.color.set(colours.path);
  }
}

function ribbon({ root, frames }) {
  const places = [];
  let [aside, ahead] = [TRAIL / 2, 0];
  for (let frame = 0; frame < frames; frame++) {
    const [before, after] = [Math.max(frame - 1, 0), Math.min(frame + 1, frames - 1)];
    const [dx, dz] = [0, 2].map((axis) => root[3 * after + axis] - root[3 * before + axis]);
    const length = Math.hypot(dx, dz);
    if (length > 1e-4) [aside, ahead] = [(TRAIL / 2) * (dz / length), (TRAIL / 2) * (-dx / length)];
    const [x, z] = [root[3 * frame], root[3 * frame + 2]];
    places.push(x + aside, 0, z + ahead, x - aside, 0, z - ahead);
  }
  const corners = [];
  for (let i = 0; i < 2 * (frames - 1); i += 2) corners.push(i, i + 1, i + 2, i + 1, i + 3, i + 2);
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(places), 3));
  geometry.setIndex(corners);
  return geometry;
}

class Marks {
  constructor(clip, colours) {
    this.clip = clip;
    this.group = new THREE.Group();
    for (const side of ["left", "right"]) {
      const material = flatMaterial(colours[side], 5);
      material.opacity = 0.75;
      const disc = new THREE.RingGeometry(0.6 * MARK, MARK, 32).rotateX(-Math.PI / 2);
      this.group.add(flatMesh(disc, material));
    }
  }

  update(moment) {
    const pose = this.clip.pose(moment);
    const standing = this.clip.standing(moment.frame);
    this.group.children.forEach((mark, side) => {
      const toe = pose[this.clip.skeleton.toes[side]];
      mark.visible = standing[side];
      mark.position.set(toe.x, 0, toe.z);
    });
  }

  setColours(colours) {
    this.group.children[0].material.color.set(colours.left);
    this.group.children[1].material.color.set(colours.right);
  }
}

// The same figure pressed flat, straight below it.
function shadowOf(group, material) {
  const flat = new THREE.Group();
  group.traverse((part) => {
    if (!part.isMesh) return;
    const shadow = part.isSkinnedMesh
      ? new THREE.SkinnedMesh(part.geometry, material)
      : new THREE.Mesh(part.geometry, material);
    if (part.isSkinnedMesh) {
      shadow.bindMode = "detached"; // stands in the world already: only pressed flat
      shadow.bind(part.skeleton, new THREE.Matrix4());
    }
    shadow.matrixAutoUpdate = false;
    shadow.matrixWorldAutoUpdate = false;
    shadow.frustumCulled = false;
    shadow.renderOrder = material.userData.order;
    shadow.userData.of = part;
    flat.add(shadow);
  });
  const press = new THREE.Matrix4().makeScale(1, 1e-5, 1);
  flat.userData.update = () => {
    for (const shadow of flat.children) {
      shadow.matrixWorld.copy(press);
      if (!shadow.isSkinnedMesh) shadow.matrixWorld.multiply(shadow.userData.of.matrixWorld);
    }
  };
  return flat;
}
