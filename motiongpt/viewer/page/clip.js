// One motion: where its joints are at a time, and what is known of its frames.

class Clip {
  static async read(given, skeleton, body) {
    const clip = new Clip();
    Object.assign(clip, given, { skeleton });
    [clip.root, clip.around] = await Promise.all([unpacked(given.root), unpacked(given.joints)]);
    clip.joints = skeleton.joints;
    clip.seconds = clip.frames / clip.fps;
    clip.worn = body && given.body ? await WornBody.read(given.body, body) : null;
    return clip;
  }

  // The frame shown at a time, the next one, and how far it is on the way there.
  moment(seconds) {
    const place = Math.min(Math.max(seconds, 0) * this.fps, this.frames - 1);
    const frame = Math.floor(place);
    return { frame, next: Math.min(frame + 1, this.frames - 1), share: place - frame };
  }

  rootAt({ frame, next, share }) {
    return [0, 1, 2].map((axis) => {
      const before = this.root[3 * frame + axis];
      return before + share * (this.root[3 * next + axis] - before);
    });
  }

  // Joints in metres, as vectors.
  pose(moment) {
    const { frame, next, share } = moment;
    const root = this.rootAt(moment);
    const width = 3 * this.joints;
    return Array.from({ length: this.joints }, (_, joint) => {
      const place = root.map((start, axis) => {
        const before = this.around[width * frame + 3 * joint + axis];
        const after = this.around[width * next + 3 * joint + axis];
        return start + before + share * (after - before);
      });
      return new THREE.Vector3(...place);
    });
  }

  isGiven(frame) {
    return within(this.given, frame);
  }

  // Whether the left and the right foot stand.
  standing(frame) {
    return this.contacts.map((runs) => within(runs, frame));
  }
}

function within(runs, frame) {
  return runs.some(([first, last]) => first <= frame && frame < last);
}
