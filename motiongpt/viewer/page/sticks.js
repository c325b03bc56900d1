// The stick figure: the rods of motiongpt/render/figure.py as round bars.

const UP = new THREE.Vector3(0, 1, 0);

class Sticks {
  constructor(clip, colours) {
    this.clip = clip;
    this.group = new THREE.Group();
    const { rods } = clip.skeleton;
    this.materials = {};
    for (const side of ["left", "right", "body"]) {
      this.materials[side] = new THREE.MeshLambertMaterial({ color: colours[side] });
    }
    this.bars = rods.flatMap((rod) => this.barsOf(rod));
    const { head, nose } = clip.skeleton;
    this.balls = [
      this.ball(head.point, head.radius, this.materials.body),
      this.ball(nose.point, nose.radius, this.materials.body),
    ];
    this.torso = this.panel();
  }

  barsOf({ ends, side }) {
    const closed = ends.length > 2;
    const pairs = ends.map((end, i) => [end, ends[(i + 1) % ends.length]]);
    return (closed ? pairs : pairs.slice(0, 1)).map(([from, to]) => {
      const [thick, thin] = [from[1] * this.clip.height, to[1] * this.clip.height];
      const geometry = new THREE.CylinderGeometry(thin, thick, 1, 14, 1, true).translate(0, 0.5, 0);
      const bar = new THREE.Mesh(geometry, this.materials[side]);
      const balls = [from, to].map(([point, radius]) => {
        return this.ball(point, radius, this.materials[side]);
      });
      this.group.add(bar);
      return { bar, balls, from: from[0], to: to[0] };
    });
  }

  ball(point, radius, material) {
    const geometry = new THREE.SphereGeometry(radius * this.clip.height, 18, 12);
    const ball = new THREE.Mesh(geometry, material);
    this.group.add(ball);
    return { ball, point };
  }

  // The trunk between hips and shoulders.
  panel() {
    const rod = this.clip.skeleton.rods.find(({ ends }) => ends.length > 2);
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(12), 3));
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    const material = this.materials.body.clone();
    material.side = THREE.DoubleSide;
    this.materials.torso = material;
    this.group.add(new THREE.Mesh(geometry, material));
    this.group.children.at(-1).frustumCulled = false;
    return { geometry, points: rod.ends.map(([point]) => point) };
  }

  update(moment) {
    const points = this.withHead(this.clip.pose(moment));
    for (const { bar, balls, from, to } of this.bars) {
      const along = points[to].clone().sub(points[from]);
      const length = Math.max(along.length(), 1e-6);
      bar.position.copy(points[from]);
      bar.quaternion.setFromUnitVectors(UP, along.divideScalar(length));
      bar.scale.set(1, length, 1);
      for (const { ball, point } of balls) ball.position.copy(points[point]);
    }
    for (const { ball, point } of this.balls) ball.position.copy(points[point]);
    const position = this.torso.geometry.getAttribute("position");
    this.torso.points.forEach((point, i) => position.setXYZ(i, ...points[point].toArray()));
    position.needsUpdate = true;
    this.torso.geometry.computeVertexNormals();
  }

  // The joints, the head's centre and the nose.
  withHead(points) {
    const { neck, top, shoulders, head, ahead } = this.clip.skeleton;
    const up = points[top].clone().sub(points[neck]).normalize();
    const leftwards = points[shoulders[0]].clone().sub(points[shoulders[1]]).normalize();
    const facing = leftwards.cross(up).normalize();
    const size = head.radius * this.clip.height;
    const middle = points[top].clone().addScaledVector(up, 0.55 * size);
    middle.addScaledVector(facing, 0.1 * size);
    return [...points, middle, middle.clone().addScaledVector(facing, ahead * size)];
  }

  setColours(colours) {
    for (const [side, material] of Object.entries(this.materials)) {
      material.color.set(side === "torso" ? colours.body : colours[side]);
    }
  }
}
