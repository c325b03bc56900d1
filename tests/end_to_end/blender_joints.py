"""Run by a Blender, `blender --background --python THIS -- FILE OUT`: where it sees the joints.

OUT becomes a JSON object: name of each bone -> its head in each frame, in Blender's world.
"""

import json
import sys

import bpy
from io_anim_bvh import import_bvh

# Blender 3.4 opens files by a mode that Python 3.11, with which Debian builds it, has no longer.


def opened(path, mode="r", **how):
    return open(path, mode.replace("U", ""), **how)


import_bvh.open = opened
motion, out = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_anim.bvh(filepath=motion, update_scene_fps=True)
armature = next(one for one in bpy.data.objects if one.type == "ARMATURE")
heads = {bone.name: [] for bone in armature.pose.bones}
first, last = armature.animation_data.action.frame_range
for frame in range(int(first), int(last) + 1):
    bpy.context.scene.frame_set(frame)
    for bone in armature.pose.bones:
        heads[bone.name].append(list(armature.matrix_world @ bone.head))
rate = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
with open(out, "w") as stream:
    json.dump({"fps": rate, "heads": heads}, stream)
