// The skinned body. The mesh comes once; a clip brings what fits it to its bones, and rotations.

class BodyMesh {
  static async read(packed) {
    const body = new BodyMesh();
    for (const name of ["vertices", "faces", "bones", "weights"]) {
      body[name] = await unpacked(packed[name]);
    }
    Object.assign(body, { parents: packed.parents, turning: packed.turning, sides: packed.sides });
    return body;
  }

  // Vertices as ../body.py's maps, 3 x 4 by rows for each joint, move them.
  fitted(maps) {
    const found = new Float32Array(this.vertices.length);
    for (let i = 0; i < found.length / 3; i++) {
      const [x, y, z] = this.vertices.subarray(3 * i, 3 * i + 3);
      for (let k = 4 * i; k < 4 * i + 4; k++) {
        const share = this.weights[k] / 255;
        const map = 12 * this.bones[k];
        for (let row = 0; share > 0 && row < 3; row++) {
          const [a, b, c, d] = maps.subarray(map + 4 * row, map + 4 * row + 4);
          found[3 * i + row] += share * (a * x + b * y + c * z + d);
        }
      }
    }
    return found;
  }

  geometry(maps) {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(this.fitted(maps), 3));
    geometry.setAttribute("skinIndex", new THREE.BufferAttribute(this.bones, 4));
    geometry.setAttribute("skinWeight", new THREE.BufferAttribute(this.weights, 4, true));
    geometry.setIndex(new THREE.BufferAttribute(this.faces, 1));
    geometry.computeVertexNormals();
    return geometry;
  }

  // Vertices of left and right limbs lean to their sides' colours.
  coloured(geometry, colours) {
    const skin = new THREE.Color(colours.skin);
    const tints = ["left", "right"].map((side) => new THREE.Color(colours[side]));
    const values = new Float32Array(this.vertices.length);
    for (let i = 0; i < values.length / 3; i++) {
      const colour = skin.clone();
      tints.forEach((tint, side) => {
        let share = 0;
        for (let k = 4 * i; k < 4 * i + 4; k++) {
          if (this.sides[this.bones[k]] === side) share += this.weights[k] / 255;
        }
        colour.lerp(tint, TINT * share);
      });
      colour.toArray(values, 3 * i);
    }
    geometry.setAttribute("color", new THREE.BufferAttribute(values, 3));
  }
}

const TINT = 0.45; // of a side's colour on its limbs

class WornBody {
  static async read(packed, body) {
    const worn = new WornBody();
    worn.body = body;
    for (const name of ["maps", "rest", "turns", "root"]) worn[name] = await unpacked(packed[name]);
    return worn;
  }

  build(colours) {
    const geometry = this.body.geometry(this.maps);
    this.material = new THREE.MeshLambertMaterial({ vertexColors: true });
    this.mesh = new THREE.SkinnedMesh(geometry, this.material);
    this.mesh.frustumCulled = false;
    this.group = new THREE.Group();
    this.bones = this.body.parents.map(() => new THREE.Bone());
    const inverses = this.bones.map((bone, joint) => {
      const place = this.restOf(joint);
      const parent = this.body.parents[joint];
      (parent < 0 ? this.group : this.bones[parent]).add(bone);
      bone.position.copy(parent < 0 ? place : place.clone().sub(this.restOf(parent)));
      return new THREE.Matrix4().makeTranslation(place.clone().negate());
    });
    this.skeleton = new THREE.Skeleton(this.bones, inverses);
    this.mesh.bind(this.skeleton, new THREE.Matrix4());
    this.group.add(this.mesh);
    this.setColours(colours);
  }

  restOf(joint) {
    return new THREE.Vector3().fromArray(this.rest, 3 * joint);
  }

  update({ frame, next, share }) {
    const { turning } = this.body;
    const width = 4 * turning.length;
    const [before, after] = [new THREE.Quaternion(), new THREE.Quaternion()];
    turning.forEach((joint, i) => {
      before.fromArray(this.turns, width * frame + 4 * i).normalize();
      after.fromArray(this.turns, width * next + 4 * i).normalize();
      this.bones[joint].quaternion.slerpQuaternions(before, after, share);
    });
    const [start, end] = [frame, next].map((i) => new THREE.Vector3().fromArray(this.root, 3 * i));
    this.bones[0].position.lerpVectors(start, end, share);
  }

  setColours(colours) {
    this.body.coloured(this.mesh.geometry, colours);
  }
}
